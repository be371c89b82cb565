"""Turns the tensors of an original network into weights of the zoo."""

from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

import numpy as np

from zoo.checks import check_choice
from zoo.interop.settings import check_size
from zoo.interop.settings import dropouts_of
from zoo.interop.state_dict import StateDict


class Original:
    """An original network while it is imported.

    A network's mapping in `zoo/interop/networks` turns each setting of the
    original into an argument of the zoo's network, and each tensor into a
    weight. The methods do so for the parts that many networks have.

    Args:
        state: `StateDict` of the original.
        columns: its columns, of the class that the source has for them.
        config: mapping of the original's settings.

    Attributes:
        arguments: dict of the arguments for the zoo's class.
        weights: dict from `"layer/variable"` to its value, such as
            `"hidden_1/kernel"`.
    """

    def __init__(
        self, state: StateDict, columns: Any, config: Mapping[str, Any]
    ) -> None:
        self.state = state
        self.columns = columns
        self.config = config
        self.arguments: dict[str, Any] = {"schema": columns.schema}
        self.weights: dict[str, np.ndarray] = {}

    @property
    def fields(self) -> int:
        """The number of fields; each library has its own."""
        raise NotImplementedError

    @property
    def pairs(self) -> int:
        """The number of pairs of fields."""
        return self.fields * (self.fields - 1) // 2

    def setting(self, name: str, default: Any) -> Any:
        """Returns a setting of the original, or its default there."""
        return self.config.get(name, default)

    def choice(self, name: str, default: Any, choices: Iterable[Any]) -> Any:
        """Returns a setting of the original, which must be one of choices."""
        value = self.setting(name, default)
        check_choice(f"config['{name}']", value, choices)
        return value

    def dropout(self, name: str, default: float = 0.0) -> float:
        """Returns the setting of one rate of dropout, or its default there."""
        return dropouts_of(self.config, name, 1, default)[0]

    def size(self, name: str, size: Any) -> Any:
        """Returns a size of the weights; the setting must not contradict it."""
        check_size(self.config, name, size)
        return size

    def count(self, name: str, prefix: str) -> int:
        """Returns the number of layers below a prefix, as `size` does a size.

        Args:
            name: string, the setting of their number.
            prefix: string, what the original calls the list of them.
        """
        return self.size(name, len(self.state.numbers(prefix)))

    def take(self, name: str, *shape: int | None) -> np.ndarray:
        """Takes a tensor of the checkpoint; `None` in `shape` is any size."""
        return self.state.take(name, shape)

    def put(self, variable: str, value: np.ndarray) -> None:
        """Sets a weight of the zoo, `"layer/variable"`."""
        self.weights[variable] = value

    def move(
        self,
        name: str,
        variable: str,
        *shape: int | None,
        transposed: bool = False,
    ) -> np.ndarray:
        """Takes a tensor as a weight of the zoo, which it returns.

        Args:
            name: string, what the original calls it.
            variable: string, what the zoo calls it, `"layer/variable"`.
            *shape: as `take` takes it.
            transposed: boolean, whether the zoo has it transposed. Defaults to
                `False`.
        """
        value = self.take(name, *shape)
        value = value.T if transposed else value
        self.put(variable, value)
        return value

    def add_bias(self, name: str) -> None:
        """Takes a bias of the logit; the zoo has one that is their sum."""
        bias = self.take(name, 1)
        self.put("click/bias", self.weights.get("click/bias", 0) + bias)

    def dense(
        self,
        name: str,
        layer: str,
        inputs: int | None = None,
        units: int | None = None,
        bias: bool = True,
    ) -> np.ndarray:
        """Takes a `torch.nn.Linear` as a `keras.layers.Dense`.

        Args:
            name: string, what the original calls it.
            layer: string, what the zoo does. A layer within a layer is
                `"outer/inner"`.
            inputs, units: integers, the sizes it must have. Default to `None`,
                any.
            bias: boolean, whether it has one. Defaults to `True`.

        Returns:
            Its kernel, `(inputs, units)`.
        """
        kernel = self.move(
            f"{name}.weight", f"{layer}/kernel", units, inputs, transposed=True
        )
        if bias:
            self.move(f"{name}.bias", f"{layer}/bias", kernel.shape[1])
        return kernel

    def output(
        self,
        name: str,
        inputs: int | None = None,
        layer: str = "logit",
        bias: bool = True,
    ) -> None:
        """Takes a `torch.nn.Linear` that gives a logit; see `dense`."""
        self.dense(name, layer, inputs, 1, bias=False)
        if bias:
            self.add_bias(f"{name}.bias")

    def layer_norm(self, name: str, layer: str, units: int) -> None:
        """Takes a `torch.nn.LayerNorm`; see `dense`."""
        self.move(f"{name}.weight", f"{layer}/gamma", units)
        self.move(f"{name}.bias", f"{layer}/beta", units)

    def batch_norm(
        self, name: str, layer: str, units: int, affine: bool = True
    ) -> None:
        """Takes a `torch.nn.BatchNorm1d`; see `dense`."""
        if affine:
            self.layer_norm(name, layer, units)
        for ours, theirs in (
            ("moving_mean", "running_mean"),
            ("moving_variance", "running_var"),
        ):
            self.move(f"{name}.{theirs}", f"{layer}/{ours}", units)

    def activation(
        self, name: str, layer: str, activation: str | None, units: int
    ) -> None:
        """Takes the weights of an activation, if it has any.

        Args:
            name: string, what the original calls it.
            layer: string, what the zoo does.
            activation: string, the zoo's name of it.
            units: integer.
        """
        if activation == "prelu":
            slope = self.take(f"{name}.weight", None)
            # DeepCTR-Torch has one slope for all units.
            self.put(f"{layer}/alpha", np.broadcast_to(slope, (units,)).copy())
        elif activation in ("dice", "affine_dice"):
            affine = activation == "affine_dice"
            self.batch_norm(f"{name}.bn", f"{layer}/norm", units, affine)
            # DeepCTR-Torch's is (units, 1).
            alpha = self.take(f"{name}.alpha", *([units, 1][: 1 + affine]))
            self.put(f"{layer}/alpha", alpha.reshape(units))
