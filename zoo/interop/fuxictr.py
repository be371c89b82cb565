"""Maps state dicts of FuxiCTR's networks to weights of the zoo."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from zoo.checks import did_you_mean
from zoo.interop.fuxictr_features import FuxiCTRFeatures
from zoo.interop.fuxictr_parts import FuxiCTRParts
from zoo.interop.settings import check_setting
from zoo.interop.settings import check_size
from zoo.interop.state_dict import StateDict
from zoo.interop.weighted_model import hidden_weights
from zoo.interop.weighted_model import make_network
from zoo.models import DCN
from zoo.models import DCNv2
from zoo.models import DeepFM
from zoo.models import WideDeep
from zoo.models.ctr_model import CTRModel


def import_fuxictr(
    state: StateDict,
    features: Any,
    model: str | None,
    config: Mapping[str, Any],
) -> CTRModel:
    """Imports a model of FuxiCTR; see `zoo.import_checkpoint`."""
    name = config.get("model", model)
    if name not in NETWORKS or model not in (None, name):
        raise ValueError(
            "`model`, or `config['model']`, must name one of FuxiCTR's "
            f"networks that the zoo has, {list(NETWORKS)}. "
            f"{'' if name in NETWORKS else did_you_mean(name, NETWORKS)}"
            f"Received: model={model!r}, "
            f"config['model']={config.get('model')!r}"
        )
    check_setting(
        config, "task", "binary_classification", "binary_classification"
    )
    for setting in ("use_features", "feature_specs"):
        if config.get(setting):
            raise ValueError(
                f"`config['{setting}']` changes the feature map: put it into "
                "`features` and leave it out. Received: "
                f"config['{setting}']={config[setting]!r}"
            )
    columns = FuxiCTRFeatures.read(features)
    parts = FuxiCTRParts(state, columns, config)
    cls, arguments, weights = NETWORKS[name](parts)
    state.check_all_taken()
    return make_network(cls, {"schema": columns.schema, **arguments}, weights)


# The functions below return a class of the zoo, its arguments without the
# schema, and its weights.
Plan = tuple[type[CTRModel], dict[str, Any], dict[str, np.ndarray]]


def _lr(parts: FuxiCTRParts) -> Plan:
    weights = parts.linear("lr_layer")
    weights["click/bias"] = parts.state.take("lr_layer.bias", (1,))
    return WideDeep, {"embedding_dim": 1, "hidden_units": ()}, weights


def _fm(parts: FuxiCTRParts) -> Plan:
    parts.features.check_no_numeric("FM")
    table, _ = parts.tables()
    weights = parts.linear("fm.lr_layer")
    weights["embeddings/embeddings"] = table
    weights["click/bias"] = parts.state.take("fm.lr_layer.bias", (1,))
    arguments = {"embedding_dim": table.shape[1], "hidden_units": ()}
    return DeepFM, arguments, weights


def _wide_deep(parts: FuxiCTRParts) -> Plan:
    arguments, weights = _deep(parts, "dnn")
    return WideDeep, arguments, {**weights, **parts.linear("lr_layer")}


def _deepfm(parts: FuxiCTRParts) -> Plan:
    parts.features.check_no_numeric("DeepFM")
    arguments, weights = _deep(parts, "mlp")
    weights.update(parts.linear("fm.lr_layer"))
    bias = parts.state.take("fm.lr_layer.bias", (1,))
    weights["click/bias"] = weights["click/bias"] + bias
    return DeepFM, arguments, weights


def _dcn(parts: FuxiCTRParts) -> Plan:
    parts.features.check_no_numeric("DCN")
    table, _ = parts.tables()
    inputs = len(parts.features.order) * table.shape[1]
    numbers = parts.state.numbers("crossnet.cross_net")
    check_size(parts.config, "num_cross_layers", len(numbers))
    weights = {"embeddings/embeddings": table}
    for i in numbers:
        name = f"crossnet.cross_net.{i}"
        kernel = parts.state.take(f"{name}.weight.weight", (1, inputs))
        weights[f"cross_{i + 1}/kernel"] = kernel.T
        bias = parts.state.take(f"{name}.bias", (inputs,))
        weights[f"cross_{i + 1}/bias"] = bias
    arguments = {
        "embedding_dim": table.shape[1],
        "num_cross_layers": len(numbers),
    }
    has_deep = bool(parts.state.numbers("dnn.mlp"))
    _join_deep(parts, "dnn" if has_deep else None, inputs, arguments, weights)
    return DCN, arguments, weights


def _dcn_v2(parts: FuxiCTRParts) -> Plan:
    parts.features.check_no_numeric("DCNv2")
    structure = parts.config.get("model_structure", "parallel")
    if structure not in ("parallel", "crossnet_only"):
        raise ValueError(
            "`config['model_structure']` must be 'parallel' or "
            "'crossnet_only': the zoo has no perceptron behind the cross "
            f"layers. Received: config['model_structure']={structure!r}"
        )
    table, _ = parts.tables()
    inputs = len(parts.features.order) * table.shape[1]
    weights = {"embeddings/embeddings": table}
    arguments = {"embedding_dim": table.shape[1]}
    if parts.config.get("use_low_rank_mixture", False):
        _take_mixture(parts, inputs, arguments, weights)
    else:
        _take_matrix_cross(parts, inputs, arguments, weights)
    deep = "parallel_dnn" if structure == "parallel" else None
    _join_deep(parts, deep, inputs, arguments, weights)
    return DCNv2, arguments, weights


NETWORKS = {
    "LR": _lr,
    "FM": _fm,
    "WideDeep": _wide_deep,
    "DeepFM": _deepfm,
    "DCN": _dcn,
    "DCNv2": _dcn_v2,
}


def _deep(
    parts: FuxiCTRParts, prefix: str
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Takes the embeddings and a perceptron with its own output."""
    table, numeric = parts.tables()
    inputs = len(parts.features.order) * table.shape[1]
    layers = parts.perceptron(prefix, inputs)
    first, bias = layers[0]
    layers[0] = (parts.features.fold(first, numeric), bias)
    *hidden, (kernel, bias) = layers
    arguments = {
        "embedding_dim": table.shape[1],
        "hidden_units": [len(bias) for _, bias in hidden],
        "dropout": parts.dropout,
    }
    return arguments, {
        "embeddings/embeddings": table,
        "logit/kernel": kernel,
        "click/bias": bias,
        **hidden_weights(hidden),
    }


def _join_deep(
    parts: FuxiCTRParts,
    prefix: str | None,
    inputs: int,
    arguments: dict[str, Any],
    weights: dict[str, np.ndarray],
) -> None:
    """Takes the perceptron beside the cross layers, and the output of both."""
    hidden = []
    if prefix is not None:
        units = (
            "dnn_hidden_units" if prefix == "dnn" else f"{prefix}_hidden_units"
        )
        hidden = parts.perceptron(
            prefix, inputs, units, "dnn_activations", outputs=False
        )
        arguments["dropout"] = parts.dropout
    arguments["hidden_units"] = [len(bias) for _, bias in hidden]
    width = inputs + (len(hidden[-1][1]) if hidden else 0)
    kernel = parts.state.take("fc.weight", (1, width)).T
    if not hidden:
        # The zoo's perceptron without layers hands the features over.
        kernel = np.concatenate([kernel, np.zeros_like(kernel)])
    weights["logit/kernel"] = kernel
    weights["click/bias"] = parts.state.take("fc.bias", (1,))
    weights.update(hidden_weights(hidden))


def _take_matrix_cross(
    parts: FuxiCTRParts,
    inputs: int,
    arguments: dict[str, Any],
    weights: dict[str, np.ndarray],
) -> None:
    numbers = parts.state.numbers("crossnet.cross_layers")
    check_size(parts.config, "num_cross_layers", len(numbers))
    for i in numbers:
        name = f"crossnet.cross_layers.{i}"
        kernel = parts.state.take(f"{name}.weight", (inputs, inputs))
        weights[f"cross_{i + 1}/kernel"] = kernel.T
        bias = parts.state.take(f"{name}.bias", (inputs,))
        weights[f"cross_{i + 1}/bias"] = bias
    arguments.update(num_cross_layers=len(numbers), mixture=False)


def _take_mixture(
    parts: FuxiCTRParts,
    inputs: int,
    arguments: dict[str, Any],
    weights: dict[str, np.ndarray],
) -> None:
    state, config = parts.state, parts.config
    numbers = state.numbers("crossnet.U_list")
    experts, _, rank = state.shape("crossnet.U_list.0")
    for setting, size in (
        ("num_cross_layers", len(numbers)),
        ("num_experts", experts),
        ("low_rank", rank),
    ):
        check_size(config, setting, size)
        arguments[setting] = size
    for i in numbers:
        for ours, theirs, shape in (
            ("left_kernel", "U_list", (experts, inputs, rank)),
            ("right_kernel", "V_list", (experts, inputs, rank)),
            ("core_kernel", "C_list", (experts, rank, rank)),
        ):
            weights[f"cross/{ours}_{i}"] = state.take(
                f"crossnet.{theirs}.{i}", shape
            )
        bias = state.take(f"crossnet.bias.{i}", (inputs, 1))
        weights[f"cross/bias_{i}"] = bias[:, 0]
    weights["cross/gate"] = np.concatenate(
        [
            state.take(f"crossnet.gating.{e}.weight", (1, inputs)).T
            for e in range(experts)
        ],
        axis=1,
    )
