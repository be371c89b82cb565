"""Names the clips that a recipe can choose, without Keras."""

from numbers import Real

ADAPTIVE_COLUMN = "adaptive_column"
CLIP_VARIANTS = (ADAPTIVE_COLUMN, "column", "field", "global")


def check_clip_variant(variant: str, threshold: float | None) -> None:
    """Raises for an unknown variant, or a threshold that does not fit it."""
    if variant not in CLIP_VARIANTS:
        raise ValueError(
            f"`clip_variant` must be one of {list(CLIP_VARIANTS)}. "
            f"Received: clip_variant={variant!r}"
        )
    if variant == ADAPTIVE_COLUMN:
        if threshold is not None:
            raise ValueError(
                "`clip_threshold` is for the constant clips; the adaptive one "
                "takes `clip_ratio`. "
                f"Received: clip_threshold={threshold}"
            )
    elif not isinstance(threshold, Real) or not threshold >= 0:
        raise ValueError(
            "`clip_threshold` must be a number that is not negative. "
            f"Received: clip_threshold={threshold}"
        )
