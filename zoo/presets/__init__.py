"""Saves trained models as folders, loads them, and uploads them."""
