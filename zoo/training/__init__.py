"""Trains networks by recipes, with checkpoints, into a folder."""
