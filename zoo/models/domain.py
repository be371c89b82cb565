"""Finds the domain of each row, for networks that serve several."""

from typing import Any

import keras

from zoo.models.batch_features import Features

Tensor = Any


class Domain:
    """The column that says which domain a row is of: its role is `"domain"`.

    The number of domains is its vocabulary size. That counts the ids of missing
    and unknown values, so a domain that training never saw has weights, too.

    Args:
        x: `Features`.

    Attributes:
        name: string, the column.
        ids: `(batch,)` integers.
        size: integer, the number of domains.

    Raises:
        ValueError: unless one categorical field has the role and there is
            another field beside it.
    """

    def __init__(self, x: Features) -> None:
        schema = x.schema
        names = schema.columns_of("domain")
        if len(names) != 1 or names[0] not in schema.categorical:
            raise ValueError(
                "The role 'domain' must be that of one categorical field. "
                f"Received: {names}"
            )
        (self.name,) = names
        self.size = schema.categorical[self.name]
        self.ids = x.inputs["ids"][:, list(schema.categorical).index(self.name)]
        self._x = x
        if not self._others:
            raise ValueError(
                "`schema` must have a field beside that of the domain. "
                f"Received: {names}"
            )

    @property
    def _others(self) -> list[str]:
        return [name for name in self._x.names if name != self.name]

    @property
    def flat(self) -> Tensor:
        """`Features.flat` without the domain's own embedding."""
        return self._x.flat_without([self.name])

    def call(self, layer: keras.layers.Layer, inputs: Tensor) -> Tensor:
        """Returns what a layer makes of inputs and the domains.

        Args:
            layer: one whose weights have the domains as their first axis, or
                have nothing to do with them. `zoo.grow` lengthens that axis.
            inputs: its first input.
        """
        self._x.vocabularies[layer.name] = [self.name]
        return layer([inputs, self.ids])
