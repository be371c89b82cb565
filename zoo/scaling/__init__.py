"""Finds the largest batch that keeps the AUC, on the data at hand."""

from zoo.scaling.study import scaling_study as scaling_study
