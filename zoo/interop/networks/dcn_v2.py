import numpy as np

from zoo.interop.long_histories import read_long_history
from zoo.interop.networks.dcn import cross_layers
from zoo.interop.networks.dcn import take_beside
from zoo.interop.networks.wide_deep import take_deep
from zoo.interop.sources import deepctr_torch
from zoo.interop.sources import fuxictr
from zoo.models import DCNv2
from zoo.models.dcn_v2 import STRUCTURES


@fuxictr("DCNv2")
def from_fuxictr(original):
    original.embeddings()
    structure = take_cross(original)
    width = original.width
    if "stacked" in structure:
        width = _take_stacked(original, width)
    if "parallel" in structure:
        units = "parallel_dnn_hidden_units"
        beside = take_beside(original, "parallel_dnn", units)
        if not beside:
            raise_without_perceptron(original, units)
        width += beside
    original.output("fc", width)
    return DCNv2


@fuxictr("LongCTR_DCNv2")
def from_longctr(original):
    read_long_history(original)
    return from_fuxictr(original)


def _take_stacked(original, inputs):
    stacked = original.perceptron(
        "stacked_dnn",
        inputs,
        units="stacked_dnn_hidden_units",
        activations="dnn_activations",
        outputs=None,
        name="stacked",
    )
    units = stacked.pop("hidden_units")
    if not units:
        raise_without_perceptron(original, "stacked_dnn_hidden_units")
    if original.arguments["structure"] == "stacked":
        original.arguments.update(stacked, hidden_units=units)
    else:
        original.arguments["stacked_units"] = units
    return units[-1]


def raise_without_perceptron(original, units):
    """Raises a `ValueError`, as the original has no network like that."""
    prefix = units.removesuffix("_hidden_units")
    structure = original.arguments["structure"]
    raise ValueError(
        "`config['model_structure']` must be that of the checkpoint: "
        f"{structure!r} needs the perceptron `{prefix}`. Received: "
        f"config['model_structure']={structure!r} and a checkpoint without "
        f"hidden layers of `{prefix}`"
    )


def take_cross(original):
    """Takes FuxiCTR's cross layers; returns the structure that has them."""
    structure = original.choice("model_structure", "parallel", STRUCTURES)
    mixture = bool(original.setting("use_low_rank_mixture", False))
    original.arguments.update(
        structure=structure, mixture=mixture, linear=False
    )
    if mixture:
        _take_mixture(original)
    else:
        take_matrix_cross(original, original.width)
    return structure


def take_matrix_cross(original, width, setting="num_cross_layers"):
    """Takes FuxiCTR's `CrossNetV2`.

    Args:
        original: `FuxiCTR`.
        width: integer, length of its input.
        setting: string, that of the number of its layers.
    """
    prefix = "crossnet.cross_layers"
    layers = original.count(setting, prefix)
    for i in range(layers):
        original.dense(f"{prefix}.{i}", f"cross_{i + 1}", width, width)
    original.arguments["num_cross_layers"] = layers


def _take_mixture(original):
    """Takes FuxiCTR's `CrossNetMix`."""
    width = original.width
    layers = original.count("num_cross_layers", "crossnet.U_list")
    experts, _, rank = original.state.shape("crossnet.U_list.0")
    original.arguments.update(
        num_cross_layers=layers,
        num_experts=original.size("num_experts", experts),
        low_rank=original.size("low_rank", rank),
    )
    for i in range(layers):
        for ours, theirs, inner in _kernels(width, rank):
            name, variable = f"crossnet.{theirs}.{i}", f"cross/{ours}_{i}"
            original.move(name, variable, experts, *inner)
        bias = original.take(f"crossnet.bias.{i}", width, 1)
        original.put(f"cross/bias_{i}", bias[:, 0])
    original.put("cross/gate", _gate(original, experts))


@deepctr_torch("DCNMix", "cross_num", "low_rank", "num_experts")
def from_deepctr_torch(original):
    state, width = original.state, original.width
    layers = cross_layers(original, "U_list")
    _, experts, _, rank = state.shape("crossnet.U_list")
    original.arguments.update(
        num_cross_layers=layers,
        num_experts=original.size("num_experts", experts),
        low_rank=original.size("low_rank", rank),
    )
    for ours, theirs, inner in _kernels(width, rank):
        kernels = original.take(f"crossnet.{theirs}", layers, experts, *inner)
        for i in range(layers):
            original.put(f"cross/{ours}_{i}", kernels[i])
    biases = original.take("crossnet.bias", layers, width, 1)
    for i in range(layers):
        original.put(f"cross/bias_{i}", biases[i, :, 0])
    original.put("cross/gate", _gate(original, experts))
    take_deep(original, beside=width)
    return DCNv2


def _kernels(width, rank):
    """The zoo's and the originals' names of an expert's kernels; shapes."""
    return (
        ("left_kernel", "U_list", (width, rank)),
        ("right_kernel", "V_list", (width, rank)),
        ("core_kernel", "C_list", (rank, rank)),
    )


def _gate(original, experts):
    gates = [
        original.take(f"crossnet.gating.{i}.weight", 1, original.width).T
        for i in range(experts)
    ]
    return np.concatenate(gates, axis=1)
