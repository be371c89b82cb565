"""Imports networks that DeepCTR-Torch trained."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from zoo.checks import did_you_mean
from zoo.interop.activations import activation_of
from zoo.interop.deepctr_torch_columns import DeepCTRTorchColumns
from zoo.interop.original import Original
from zoo.interop.settings import check_setting
from zoo.interop.settings import check_size
from zoo.interop.sources import DEEPCTR_TORCH
from zoo.interop.sources import DEEPCTR_TORCH_SETTINGS
from zoo.interop.state_dict import StateDict
from zoo.interop.weighted_model import make_network
from zoo.models.ctr_model import CTRModel

# Arguments of the classes that do not change a model's outputs.
TRAINING = {
    "l2_reg_linear", "l2_reg_embedding", "l2_reg_dnn", "l2_reg_cross",
    "l2_reg_att", "l2_reg", "l2_reg_cin", "init_std", "seed", "device", "gpus",
}  # fmt: skip
SETTINGS = {
    "task", "dnn_hidden_units", "dnn_dropout", "dnn_activation", "dnn_use_bn",
}  # fmt: skip


def import_deepctr_torch(
    state: StateDict,
    features: Any,
    model: str | None,
    config: Mapping[str, Any],
) -> CTRModel:
    """Imports a model of DeepCTR-Torch; see `zoo.import_checkpoint`."""
    if model not in DEEPCTR_TORCH:
        raise ValueError(
            "`model` must name one of DeepCTR-Torch's networks that the zoo "
            f"has, {sorted(DEEPCTR_TORCH)}. "
            f"{did_you_mean(model, DEEPCTR_TORCH)}Received: model={model!r}"
        )
    known = TRAINING | SETTINGS | DEEPCTR_TORCH_SETTINGS[model]
    unknown = sorted(set(config) - known - {"embedding_dim"})
    if unknown:
        raise ValueError(
            f"`config` must be arguments of DeepCTR-Torch's `{model}`, "
            f"{sorted(known)}. Received: {unknown}"
        )
    check_setting(config, "task", "binary", "binary")
    state.drop_integers()
    columns = DeepCTRTorchColumns.read(features)
    # DeepCTR-Torch has it in the columns, not among the arguments.
    check_size(config, "embedding_dim", columns.embedding_dim)
    original = DeepCTRTorch(state, columns, config)
    cls = DEEPCTR_TORCH[model](original)
    state.check_all_taken()
    return make_network(cls, original.arguments, original.weights)


class DeepCTRTorch(Original):
    """An original of DeepCTR-Torch, see `Original`.

    Numeric columns enter as they are, behind the embeddings.
    """

    columns: DeepCTRTorchColumns

    def __init__(self, state, columns, config):
        super().__init__(state, columns, config)
        self.arguments["dense"] = "concat"
        self.arguments["embedding_dim"] = columns.embedding_dim

    @property
    def fields(self) -> int:
        """The number of fields, sequences included."""
        schema = self.columns.schema
        return schema.num_fields + len(schema.sequences)

    @property
    def embedded(self) -> int:
        """Length of all embeddings side by side."""
        return self.fields * self.columns.embedding_dim

    @property
    def width(self) -> int:
        """Length of all embeddings and numeric columns side by side."""
        return self.embedded + len(self.columns.dense)

    def embeddings(self) -> None:
        """Takes the embeddings of all columns."""
        self.put(
            "embeddings/embeddings",
            self._table("embedding_dict", self.columns.embedding_dim),
        )

    def linear(self, prefix: str = "linear_model") -> None:
        """Takes the linear part: a weight for each id and numeric column."""
        schema = self.columns.schema
        table = self._table(f"{prefix}.embedding_dict", 1)
        if schema.sequences:
            # In DeepCTR-Torch a sequence shares the weights of its field.
            rows = dict(
                zip(
                    schema.vocabularies,
                    np.split(table, np.cumsum([*schema.vocabularies.values()])),
                    strict=False,
                )
            )
            table = np.concatenate(
                [
                    rows[schema.vocabulary_of(name)]
                    for name in schema.unshared_vocabularies
                ]
            )
        self.put("linear_embeddings/embeddings", table)
        if self.columns.dense:
            size = len(self.columns.dense)
            self.move(f"{prefix}.weight", "linear_dense/kernel", size, 1)

    def bias(self) -> None:
        """Takes the bias of the logit."""
        self.add_bias("out.bias")

    def perceptron(
        self,
        inputs: int,
        prefix: str = "dnn",
        units: str = "dnn_hidden_units",
        batch_norm: str = "dnn_use_bn",
        name: str | None = None,
    ) -> int:
        """Takes a `DNN` as `Features.mlp` builds it, and sets its arguments.

        Args:
            inputs: integer, length of its input.
            prefix, units, batch_norm, name: as `layers` takes them.

        Returns:
            The length of its output.
        """
        hidden = self.hidden(inputs, prefix, units, name, batch_norm)
        self.arguments.update(hidden)
        return [inputs, *hidden["hidden_units"]][-1]

    def hidden(
        self,
        inputs: int,
        prefix: str,
        units: str,
        name: str | None = None,
        batch_norm: str = "dnn_use_bn",
    ) -> dict[str, Any]:
        """Takes a `DNN` as `perceptron` does, and sets no arguments.

        Returns:
            What `layers` returns, and its `dropout`.
        """
        layers = self.layers(inputs, prefix, units, batch_norm, name=name)
        return {**layers, "dropout": self.dropout("dnn_dropout")}

    def layers(
        self,
        inputs: int,
        prefix: str,
        units: str,
        batch_norm: str | None = None,
        activation: str = "dnn_activation",
        default_activation: str = "relu",
        name: str | None = None,
    ) -> dict[str, Any]:
        """Takes a `DNN` as `Features.mlp` builds it.

        Args:
            inputs: integer, length of its input.
            prefix: string, what the original calls it.
            units, batch_norm, activation: strings, its settings of the widths,
                of the normalization and of the activation. `batch_norm=None`
                for a `DNN` without normalization.
            default_activation: string, the original's own.
            name: string, as `Features.mlp` takes it. Defaults to `None`.

        Returns:
            Dict of `hidden_units`, `activation` and `normalization`.
        """
        state, start = self.state, f"{name}_" if name else ""
        numbers = state.numbers(f"{prefix}.linears")
        widths = [
            state.shape(f"{prefix}.linears.{i}.weight")[0] for i in numbers
        ]
        self.size(units, widths)
        normed = self.setting(batch_norm, False) if batch_norm else False
        kind = activation_of(
            activation, self.setting(activation, default_activation)
        )
        # DeepCTR-Torch's Dice normalizes with a scale and an offset.
        kind = "affine_dice" if kind == "dice" else kind
        for i, width in enumerate(widths):
            self.dense(
                f"{prefix}.linears.{i}", f"{start}hidden_{i + 1}", inputs, width
            )
            inputs = width
            if normed:
                self.batch_norm(
                    f"{prefix}.bn.{i}", f"{start}norm_{i + 1}", width
                )
            self.activation(
                f"{prefix}.activation_layers.{i}",
                f"{start}activation_{i + 1}",
                kind,
                width,
            )
        return {
            "hidden_units": tuple(widths),
            "activation": kind,
            "normalization": "batch" if normed else None,
        }

    def _table(self, prefix: str, dim: int) -> np.ndarray:
        return np.concatenate(
            [
                self.take(f"{prefix}.{name}.weight", size, dim)
                for name, size in self.columns.schema.vocabularies.items()
            ]
        )
