"""Holds what a user did, and what the user is offered."""

from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from zoo.layers import MaskedSum

Tensor = Any


@dataclass(frozen=True)
class History:
    """Sequences of the same events, and the fields they are compared with.

    Attributes:
        names: the sequences, `num_sequences` of them.
        events: `(batch, length, num_sequences * embedding_dim)`, zero where
            padded.
        mask: `(batch, length)` booleans, `False` where padded.
        target: `(batch, num_sequences * embedding_dim)`, what is offered.
    """

    names: tuple[str, ...]
    events: Tensor
    mask: Tensor
    target: Tensor

    @property
    def width(self) -> int:
        """Length of an event's vector."""
        return self.events.shape[-1]

    def pairs(self, query: Tensor | None = None) -> Tensor:
        """Returns `[q, event, q - event, q * event]` for each event.

        Args:
            query: `(batch, width)` or `(batch, length, width)`. Defaults to
                `None`, the target.

        Returns:
            `(batch, length, 4 * width)`.
        """
        query = self.target if query is None else query
        if len(query.shape) == 2:
            query = ops.repeat(query[:, None], self.events.shape[1], axis=1)
        return keras.layers.Concatenate()(
            [query, self.events, query - self.events, query * self.events]
        )

    def pooled(self, scores: Tensor, softmax: bool = False) -> Tensor:
        """Returns the sum of the events, weighted by scores.

        Args:
            scores: `(batch, length)`.
            softmax: boolean, whether weights are the scores' softmax over the
                events. Defaults to `False`, the scores as they are.

        Returns:
            `(batch, width)`, zero where there is no event.
        """
        return MaskedSum(softmax)([self.events, scores, self.mask])

    def split(self, vectors: Tensor) -> dict[str, Tensor]:
        """Returns the part of each sequence in `(batch, width)` vectors."""
        parts = ops.split(vectors, len(self.names), axis=-1)
        return dict(zip(self.names, parts, strict=True))
