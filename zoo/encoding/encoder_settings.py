"""Holds the choices by which raw values become numbers and ids."""

from dataclasses import dataclass

from zoo.checks import check_choice
from zoo.checks import check_positive_integer
from zoo.encoding import sql
from zoo.raw.log_format import LogFormat

_MOST_TOKENS = 2**31 - 1 - sql.FIRST_ID


@dataclass(frozen=True)
class EncoderSettings:
    """The choices that are made before an encoder is fitted.

    Args:
        log_format: `LogFormat` of the log.
        dense_transform: `"minmax"`, `"log"` or `"none"`, see `ClickEncoder`.
        min_count: integer. Tokens that are rarer in the training split are
            left out of the vocabulary.
        max_vocabulary: integer. The number of tokens that a vocabulary keeps,
            the most frequent ones; `None` for all.
        num_buckets: integer. The number of buckets that the tokens of every
            field, and of lists that share no field's, are hashed to; `None`
            for vocabularies.

    Raises:
        ValueError: for an unknown transform, a number below 1, or a limit to
            the vocabulary where there is none.
    """

    log_format: LogFormat
    dense_transform: str = "minmax"
    min_count: int = 1
    max_vocabulary: int | None = None
    num_buckets: int | None = None

    def __post_init__(self) -> None:
        check_choice(
            "dense_transform", self.dense_transform, sql.DENSE_TRANSFORMS
        )
        check_positive_integer("min_count", self.min_count)
        for name in ("max_vocabulary", "num_buckets"):
            value = getattr(self, name)
            if value is not None:
                check_positive_integer(name, value)
                if value > _MOST_TOKENS:
                    raise ValueError(
                        f"`{name}` must be at most {_MOST_TOKENS}: ids are "
                        f"int32. Received: {name}={value}"
                    )
                # JSON can't hold integers of NumPy.
                object.__setattr__(self, name, int(value))
        object.__setattr__(self, "min_count", int(self.min_count))
        if self.num_buckets is not None and (
            self.min_count,
            self.max_vocabulary,
        ) != (1, None):
            raise ValueError(
                "`num_buckets` hashes the tokens, so that there is no "
                "vocabulary to limit. Received: "
                f"num_buckets={self.num_buckets}, min_count={self.min_count}, "
                f"max_vocabulary={self.max_vocabulary}"
            )

    @property
    def vocabulary_names(self) -> tuple[str, ...]:
        """The vocabularies that are learned: none if tokens are hashed."""
        hashed = self.num_buckets is not None
        return () if hashed else self.log_format.vocabularies
