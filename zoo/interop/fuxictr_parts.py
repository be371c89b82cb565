from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from zoo.interop.fuxictr_features import FuxiCTRFeatures
from zoo.interop.settings import check_relu
from zoo.interop.settings import check_setting
from zoo.interop.settings import check_size
from zoo.interop.settings import one_dropout
from zoo.interop.state_dict import StateDict

# The path of the tables of `FeatureEmbedding` within a model.
TABLES = "embedding_layer.embedding_layer.embedding_layers"


@dataclass(frozen=True)
class FuxiCTRParts:
    """The parts that FuxiCTR's networks share, as weights of the zoo.

    Attributes:
        state: `StateDict` of the original.
        features: `FuxiCTRFeatures`.
        config: mapping of the original's settings.
    """

    state: StateDict
    features: FuxiCTRFeatures
    config: Mapping[str, Any]

    def tables(self) -> tuple[np.ndarray, np.ndarray]:
        """Takes the embeddings.

        Returns:
            The table of all fields, and the vectors of the numeric features,
            `(num_dense, embedding_dim)`.
        """
        first = next(iter(self.features.categorical))
        dim = self.state.shape(f"{TABLES}.{first}.weight")[-1]
        check_size(self.config, "embedding_dim", dim)
        self.features.check_embedding_dim(dim)
        return self._tables(TABLES, dim)

    def linear(self, prefix: str) -> dict[str, np.ndarray]:
        """Takes a `LogisticRegression`, but for its bias."""
        table, numeric = self._tables(f"{prefix}.{TABLES}", 1)
        weights = {"linear_embeddings/embeddings": table}
        if self.features.dense:
            weights["linear_dense/kernel"] = numeric
        return weights

    def perceptron(
        self,
        prefix: str,
        inputs: int,
        units_setting: str = "hidden_units",
        activations_setting: str = "hidden_activations",
        outputs: bool = True,
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Takes an `MLP_Block`.

        Args:
            prefix: string, what the network calls it.
            inputs: integer, length of its input.
            units_setting: string, the network's name for the widths.
            activations_setting: string, its name for the activations.
            outputs: boolean. Whether a linear output is the last layer.

        Returns:
            Kernels `(inputs, units)` and biases, the output's last.
        """
        check_setting(self.config, "batch_norm", False, False)
        check_relu(self.config, activations_setting, "ReLU")
        numbers = self.state.numbers(f"{prefix}.mlp")
        layers = []
        for number in numbers:
            name = f"{prefix}.mlp.{number}"
            kernel = self.state.take(f"{name}.weight", (None, inputs)).T
            inputs = kernel.shape[1]
            layers.append((kernel, self.state.take(f"{name}.bias", (inputs,))))
        if not layers:
            self.state.shape(f"{prefix}.mlp.0.weight")
        hidden = layers[:-1] if outputs else layers
        units = [len(bias) for _, bias in hidden]
        check_size(self.config, units_setting, units)
        self._check_steps(prefix, numbers)
        return layers

    @property
    def dropout(self) -> float:
        return one_dropout(self.config, "net_dropout")

    def _tables(self, prefix: str, dim: int) -> tuple[np.ndarray, np.ndarray]:
        tables = [
            self.state.take(f"{prefix}.{name}.weight", (size, dim))
            for name, size in self.features.categorical.items()
        ]
        numeric = [
            self.state.take(f"{prefix}.{name}.weight", (dim, 1))[:, 0]
            for name in self.features.dense
        ]
        return (
            np.concatenate(tables),
            np.stack(numeric) if numeric else np.zeros((0, dim), "float32"),
        )

    def _check_steps(self, prefix: str, numbers: list[int]) -> None:
        # A number is a place in the stack, where ReLU and dropout count too:
        # the only trace that they leave in a checkpoint.
        step = 3 if self.dropout else 2
        if any(b - a != step for a, b in pairwise(numbers)):
            raise ValueError(
                f"{self.state.path}: the layers of `{prefix}.mlp` must be "
                f"{step} places apart, as ReLU and `config['net_dropout']` "
                f"want it. Received: net_dropout={self.dropout}, places "
                f"{numbers}"
            )
