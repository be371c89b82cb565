"""Knows the machine: backend, GPU, memory, versions and progress bars."""
