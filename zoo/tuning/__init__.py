"""Searches for the settings of a recipe that have the highest AUC."""

from zoo.tuning.results import TuningResult as TuningResult
from zoo.tuning.study import tune as tune
