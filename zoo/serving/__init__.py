"""Puts trained models to use: predictions from raw rows, exported files."""
