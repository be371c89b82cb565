"""Measures trained models: metrics, importance of columns, calibration."""
