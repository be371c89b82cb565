"""How far the batch can grow before the AUC falls, on the data at hand."""

from zoo.scaling.study import scaling_study as scaling_study
