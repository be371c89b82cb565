"""Opens encoded logs: memory-mapped rows, in batches."""
