"""Checks that a model was made for the ids of an encoder."""

from zoo.feature_schema import FeatureSchema


def check_same_columns(model: FeatureSchema, encoder: FeatureSchema) -> None:
    """Raises a `ValueError` unless a model has the columns of an encoder."""
    # The name of a single label is not used.
    several = len(model.labels) > 1 or len(encoder.labels) > 1
    for what, expected, received in (
        ("dense columns", encoder.dense, model.dense),
        ("fields", list(encoder.categorical), list(model.categorical)),
        ("sequences", encoder.sequences, model.sequences),
        ("vocabularies", encoder.vocabularies, model.vocabularies),
        (
            "labels",
            encoder.labels if several else (),
            model.labels if several else (),
        ),
    ):
        if received != expected:
            raise ValueError(
                "`model` must have the columns and vocabulary sizes of "
                f"`encoder`, {what} {expected}. Received: {received}"
            )
