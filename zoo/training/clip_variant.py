import keras
import numpy as np
from keras import ops

from keras_cowclip import CowClip
from keras_cowclip.clipping import column_factor
from keras_cowclip.clipping import field_factor
from keras_cowclip.clipping import global_factor
from zoo.checks import check_choice
from zoo.checks import check_not_negative

ADAPTIVE_COLUMN = "adaptive_column"
CLIP_VARIANTS = (ADAPTIVE_COLUMN, "column", "field", "global")


@keras.saving.register_keras_serializable(package="zoo")
class ClipVariant(CowClip):
    """`CowClip` with one of the constant clips of the paper's ablation.

    A constant threshold replaces the norm of the row's own weights:

    * `"column"`: `max(count, 1) * threshold` limits the norm of the row;
    * `"field"`: `threshold` limits the norm of all rows of the row's field;
    * `"global"`: `threshold` limits the norm of the whole table.

    All fields must share one clipped table, as in the networks of the zoo.
    The variants measure which part of CowClip matters. To train a model well,
    use `CowClip`.

    Args:
        clip_variant: string, one of those above.
        clip_threshold: float, not negative, for gradients of the mean loss.
        field_sizes: list of integers, the number of rows of each field in the
            order of the table. Only `"field"` needs it.
        **cowclip_kwargs: arguments of `keras_cowclip.CowClip`.

    Raises:
        ValueError: for an unknown variant or a negative threshold.

    Example:

    ```python
    optimizer = ClipVariant("global", 0.1, learning_rate=1e-3)
    ```

    Reference:
    - [Zheng et al., 2022](https://arxiv.org/abs/2204.06240), the ablation of
      clipping variants.
    """

    def __init__(
        self, clip_variant, clip_threshold, field_sizes=None, **cowclip_kwargs
    ):
        check_clip_variant(clip_variant, clip_threshold)
        if clip_variant == ADAPTIVE_COLUMN:
            raise ValueError(
                "`clip_variant` must be one with a constant threshold; "
                "`CowClip` itself is the adaptive one. "
                f"Received: clip_variant={clip_variant!r}"
            )
        if clip_variant == "field" and not field_sizes:
            raise ValueError(
                '`field_sizes` must be given for `clip_variant="field"`. '
                f"Received: field_sizes={field_sizes}"
            )
        super().__init__(**cowclip_kwargs)
        self.clip_variant = clip_variant
        self.clip_threshold = clip_threshold
        self.field_sizes = field_sizes

    def get_config(self):
        return {
            **super().get_config(),
            "clip_variant": self.clip_variant,
            "clip_threshold": self.clip_threshold,
            "field_sizes": self.field_sizes,
        }

    def _table_factor(self, gradient, table, counts):
        if self.clip_variant == "column":
            return column_factor(gradient, counts, self.clip_threshold)
        if self.clip_variant == "field":
            num_fields = len(self.field_sizes)
            fields: np.ndarray = np.repeat(
                np.arange(num_fields, dtype="int32"), self.field_sizes
            )
            return field_factor(
                gradient, fields, num_fields, self.clip_threshold
            )
        factor = global_factor([gradient], self.clip_threshold)
        return ops.ones_like(counts) * factor


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
