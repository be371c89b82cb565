"""Reads raw logs: text, Parquet, Arrow and rows in memory."""
