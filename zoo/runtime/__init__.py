"""Describes the machine: backend, GPU, memory, versions; shows progress."""
