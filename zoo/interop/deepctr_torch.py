"""Maps state dicts of DeepCTR-Torch's networks to weights of the zoo."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.checks import did_you_mean
from zoo.interop.deepctr_torch_columns import DeepCTRTorchColumns
from zoo.interop.settings import check_relu
from zoo.interop.settings import check_setting
from zoo.interop.settings import check_size
from zoo.interop.settings import one_dropout
from zoo.interop.state_dict import StateDict
from zoo.interop.weighted_model import hidden_weights
from zoo.interop.weighted_model import make_network
from zoo.models import DCN
from zoo.models import DCNv2
from zoo.models import DeepFM
from zoo.models import WideDeep
from zoo.models.ctr_model import CTRModel

# Arguments of the classes that do not change what a model computes.
TRAINING = {
    "l2_reg_linear", "l2_reg_embedding", "l2_reg_dnn", "l2_reg_cross",
    "init_std", "seed", "device", "gpus",
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
    if model not in NETWORKS:
        raise ValueError(
            "`model` must name one of DeepCTR-Torch's networks that the zoo "
            f"has, {list(NETWORKS)}. {did_you_mean(model, NETWORKS)}"
            f"Received: model={model!r}"
        )
    take, own_settings = NETWORKS[model]
    unknown = sorted(set(config) - TRAINING - SETTINGS - own_settings)
    if unknown:
        raise ValueError(
            f"`config` must be arguments of DeepCTR-Torch's `{model}`, "
            f"{sorted(TRAINING | SETTINGS | own_settings)}. "
            f"Received: {unknown}"
        )
    check_setting(config, "task", "binary", "binary")
    check_setting(config, "dnn_use_bn", False, False)
    check_relu(config, "dnn_activation", "relu")
    columns = DeepCTRTorchColumns.read(features)
    parts = _Parts(state, columns, config)
    cls, arguments, weights = take(parts)
    state.check_all_taken()
    shared = {
        "schema": columns.schema,
        "embedding_dim": columns.embedding_dim,
        "dropout": one_dropout(config, "dnn_dropout"),
    }
    return make_network(cls, {**shared, **arguments}, weights)


# The functions below return a class of the zoo, its own arguments and its
# weights.
Plan = tuple[type[CTRModel], dict[str, Any], dict[str, np.ndarray]]


@dataclass(frozen=True)
class _Parts:
    """The parts that all networks of DeepCTR-Torch have."""

    state: StateDict
    columns: DeepCTRTorchColumns
    config: Mapping[str, Any]

    def deep(self, crossed: int = 0) -> Plan:
        """Takes the tables, the linear part, the perceptron and the output.

        Args:
            crossed: integer, length of the vector that is concatenated with
                the perceptron's output before the logit.
        """
        weights = {
            "embeddings/embeddings": self._table(
                "embedding_dict", self.columns.embedding_dim
            ),
            "linear_embeddings/embeddings": self._table(
                "linear_model.embedding_dict", 1
            ),
            "click/bias": self.state.take("out.bias", (1,)),
        }
        if self.columns.dense:
            weights["linear_dense/kernel"] = self.state.take(
                "linear_model.weight", (len(self.columns.dense), 1)
            )
        hidden = self._hidden()
        if hidden:
            width = crossed + len(hidden[-1][1])
            kernel = self.state.take("dnn_linear.weight", (1, width))
            weights["logit/kernel"] = kernel.T
        units = [len(bias) for _, bias in hidden]
        check_size(self.config, "dnn_hidden_units", units)
        weights.update(hidden_weights(hidden))
        return WideDeep, {"hidden_units": units}, weights

    def _table(self, prefix: str, dim: int) -> np.ndarray:
        return np.concatenate(
            [
                self.state.take(f"{prefix}.{name}.weight", (size, dim))
                for name, size in self.columns.categorical.items()
            ]
        )

    def _hidden(self) -> list[tuple[np.ndarray, np.ndarray]]:
        layers, inputs = [], self.columns.width
        for i in self.state.numbers("dnn.linears"):
            kernel = self.state.take(f"dnn.linears.{i}.weight", (None, inputs))
            inputs = len(kernel)
            bias = self.state.take(f"dnn.linears.{i}.bias", (inputs,))
            layers.append((kernel.T, bias))
        return layers


def _wdl(parts: _Parts) -> Plan:
    return parts.deep()


def _deepfm(parts: _Parts) -> Plan:
    if not parts.config.get("use_fm", True):
        raise ValueError(
            "`config['use_fm']` must be True; without it a DeepFM is a WDL: "
            "import it as model='WDL'. "
            f"Received: config['use_fm']={parts.config['use_fm']!r}"
        )
    _, arguments, weights = parts.deep()
    return DeepFM, arguments, weights


def _dcn(parts: _Parts) -> Plan:
    kind = parts.config.get("cross_parameterization", "vector")
    if kind not in ("vector", "matrix"):
        raise ValueError(
            "`config['cross_parameterization']` must be 'vector' or 'matrix'. "
            f"Received: config['cross_parameterization']={kind!r}"
        )
    width = parts.columns.width
    layers = _cross_layers(parts, "crossnet.kernels")
    _, arguments, weights = parts.deep(crossed=width)
    kernels = parts.state.take(
        "crossnet.kernels", (layers, width, 1 if kind == "vector" else width)
    )
    if kind == "matrix":
        kernels = kernels.transpose(0, 2, 1)
        arguments["mixture"] = False
    biases = parts.state.take("crossnet.bias", (layers, width, 1))
    for i in range(layers):
        weights[f"cross_{i + 1}/kernel"] = kernels[i]
        weights[f"cross_{i + 1}/bias"] = biases[i, :, 0]
    arguments["num_cross_layers"] = layers
    return (DCN if kind == "vector" else DCNv2), arguments, weights


def _dcn_mix(parts: _Parts) -> Plan:
    state, width = parts.state, parts.columns.width
    layers = _cross_layers(parts, "crossnet.U_list")
    _, experts, _, rank = state.shape("crossnet.U_list")
    check_size(parts.config, "num_experts", experts)
    check_size(parts.config, "low_rank", rank)
    _, arguments, weights = parts.deep(crossed=width)
    for ours, theirs, shape in (
        ("left_kernel", "U_list", (width, rank)),
        ("right_kernel", "V_list", (width, rank)),
        ("core_kernel", "C_list", (rank, rank)),
    ):
        kernels = state.take(f"crossnet.{theirs}", (layers, experts, *shape))
        for i in range(layers):
            weights[f"cross/{ours}_{i}"] = kernels[i]
    biases = state.take("crossnet.bias", (layers, width, 1))
    for i in range(layers):
        weights[f"cross/bias_{i}"] = biases[i, :, 0]
    gates = [
        state.take(f"crossnet.gating.{expert}.weight", (1, width)).T
        for expert in range(experts)
    ]
    weights["cross/gate"] = np.concatenate(gates, axis=1)
    arguments.update(
        num_cross_layers=layers, num_experts=experts, low_rank=rank
    )
    return DCNv2, arguments, weights


# Each with the settings that other networks do not have.
NETWORKS = {
    "WDL": (_wdl, set()),
    "DeepFM": (_deepfm, {"use_fm"}),
    "DCN": (_dcn, {"cross_num", "cross_parameterization"}),
    "DCNMix": (_dcn_mix, {"cross_num", "low_rank", "num_experts"}),
}


def _cross_layers(parts: _Parts, name: str) -> int:
    layers = parts.state.shape(name)[0]
    check_size(parts.config, "cross_num", layers)
    if not layers:
        raise ValueError(
            f"{parts.state.path}: there must be a cross layer; without one the "
            "network is a WDL with weights to spare. Received: cross_num=0"
        )
    return layers
