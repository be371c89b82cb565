"""Click-through-rate models, and the way from a raw log to a trained one."""

from zoo.features import FeatureSchema as FeatureSchema
