"""Computes exact metrics of predicted probabilities on a whole split."""

from zoo.metrics.calibration import calibration_bins as calibration_bins
from zoo.metrics.exact import TrainingDivergedError as TrainingDivergedError
from zoo.metrics.exact import (
    UselessPredictionsWarning as UselessPredictionsWarning,
)
from zoo.metrics.exact import auc_standard_error as auc_standard_error
from zoo.metrics.exact import exact_metrics as exact_metrics
from zoo.metrics.exact import is_by_label as is_by_label
from zoo.metrics.exact import warn_if_useless as warn_if_useless
from zoo.metrics.groups import group_auc as group_auc
from zoo.metrics.lines import metric_lines as metric_lines
from zoo.metrics.lines import metric_text as metric_text
