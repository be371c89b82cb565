"""Names the clips that a recipe can choose, without Keras."""

from zoo.checks import check_choice
from zoo.checks import check_not_negative

ADAPTIVE_COLUMN = "adaptive_column"
CLIP_VARIANTS = (ADAPTIVE_COLUMN, "column", "field", "global")


def check_clip_variant(variant: str, threshold: float | None) -> None:
    """Raises for an unknown variant, or a threshold that does not fit it."""
    check_choice("clip_variant", variant, CLIP_VARIANTS)
    if variant == ADAPTIVE_COLUMN:
        if threshold is not None:
            raise ValueError(
                "`clip_threshold` is for the constant clips; the adaptive one "
                "takes `clip_ratio`. "
                f"Received: clip_threshold={threshold!r}"
            )
    else:
        check_not_negative("clip_threshold", threshold)
