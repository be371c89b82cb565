import copy

from zoo.checks import check_positive_integers
from zoo.interop.activations import activations_of
from zoo.interop.fuxictr_original import TABLES
from zoo.interop.networks.dcn_v2 import raise_without_perceptron
from zoo.interop.networks.dcn_v2 import take_cross
from zoo.interop.settings import check_mapping
from zoo.interop.settings import dropouts_of
from zoo.interop.settings import hidden_arguments
from zoo.interop.settings import one_each
from zoo.interop.settings import same_or_each
from zoo.interop.sources import fuxictr
from zoo.models import APG

MODES = ("self-wise", "group-wise", "mix-wise")


@fuxictr("APG_DeepFM")
def deepfm_from_fuxictr(original):
    original.embeddings("")
    original.linear("fm.lr_layer")
    condition = _take_condition(original)
    width = _take_adaptive(
        original,
        "mlp",
        original.width,
        condition,
        units="hidden_units",
        activations="hidden_activations",
    )
    original.output("mlp.dense_layers.out_proj", width)
    return APG


@fuxictr("APG_DCNv2")
def dcn_v2_from_fuxictr(original):
    original.embeddings("")
    structure = take_cross(original)
    original.arguments["interaction"] = "cross"
    condition, width = _take_condition(original), original.width
    if "stacked" in structure:
        width = _take_one_of_two(original, "stacked", width, condition)
    if "parallel" in structure:
        width += _take_one_of_two(
            original, "parallel", original.width, condition
        )
    original.output("fc", width)
    return APG


def _take_one_of_two(original, which, inputs, condition):
    name = "stacked" if which == "stacked" else None
    width = _take_adaptive(
        original,
        f"{which}_dnn",
        inputs,
        condition,
        units=f"{which}_dnn_hidden_units",
        activations="dnn_activations",
        name=name,
    )
    if not original.arguments["hidden_units"]:
        raise_without_perceptron(original, f"{which}_dnn_hidden_units")
    # `hidden_units` are those beside the cross layers, if there are such.
    if name and original.arguments["structure"] != "stacked":
        units = original.arguments.pop("hidden_units")
        original.arguments["stacked_units"] = units
    return width


def _take_condition(original):
    """Returns the length of the condition, `None` for each layer's input."""
    mode = original.choice("condition_mode", "self-wise", MODES)
    if mode == "self-wise":
        return None
    dim = original.arguments["embedding_dim"]
    table = bool(original.setting("new_condition_emb", False))
    names = original.listed(
        "condition_features", None if table else original.columns.order
    )
    original.arguments.update(
        condition_columns=tuple(names), condition_table=table
    )
    if table:
        prefix = f"condition_emb_layer.{TABLES}.{{}}"
        original.selected(names, prefix, "condition_embeddings", dim)
    return len(names) * dim


def _take_adaptive(
    original, prefix, inputs, condition, *, units, activations, name=None
):
    """Takes an `APG_MLP`, and returns the length of its output."""
    default = [64, 64, 64] if prefix == "mlp" else []
    widths = original.setting(units, default)
    check_positive_integers(f"config['{units}']", widths)
    start, stack = f"{name}_" if name else "", f"{prefix}.dense_layers"
    normed = bool(original.setting("batch_norm", False))
    layers, config = len(widths), original.config
    kinds = activations_of(config, activations, layers)
    ranks = one_each(config, "rank_k", layers, 32)
    inner = one_each(config, "overparam_p", layers, 1024)
    for i, width in enumerate(widths):
        linear, number = f"{stack}.linear_{i + 1}", i + 1
        sizes = (inputs, ranks[i], inner[i], width)
        _take_matrices(original, linear, f"{start}adaptive_{number}", *sizes)
        _take_hypernetwork(
            original, linear, f"{start}hyper_{number}", condition or inputs
        )
        if normed:
            norm = f"{start}norm_{number}"
            original.batch_norm(f"{stack}.bn_{number}", norm, width)
        layer = f"{start}activation_{number}"
        original.activation(f"{stack}.act_{number}", layer, kinds[i], width)
        inputs = width
    rates = dropouts_of(config, "net_dropout", layers)
    original.arguments.update(
        hidden_arguments(kinds, normed, rates),
        hidden_units=tuple(widths),
        rank=same_or_each(ranks, None),
        overparameterization=same_or_each(inner, None),
    )
    return inputs


def _take_matrices(original, name, layer, inputs, rank, inner, units):
    """Takes what is not generated of an `APG_Linear`."""
    generated = bool(original.setting("generate_bias", True))
    original.arguments["generate_bias"] = generated
    if not generated:
        bias = original.take(f"{name}.bias", 1, units)
        original.put(f"{layer}/bias", bias[0])
    if rank is None:
        return
    for side, letter, sizes in (
        ("left", "U", [inputs, rank]),
        ("right", "V", [rank, units]),
    ):
        letters = [letter]
        if inner is not None:
            letters = [f"{letter}_l", f"{letter}_r"]
            sizes = [sizes[0], inner, sizes[1]]
        for i, each in enumerate(letters):
            kernel = f"{layer}/{side}_kernel_{i}"
            original.move(f"{name}.{each}", kernel, sizes[i], sizes[i + 1])


def _take_hypernetwork(original, name, layer, inputs):
    # Its settings are a dict of their own.
    hyper = copy.copy(original)
    hyper.config = check_mapping(
        original.setting("hypernet_config", None), "config['hypernet_config']"
    )
    given = hyper.tower(
        f"{name}.hypernet",
        inputs,
        layer,
        activations="hidden_activations",
        dropout="dropout_rates",
        batch_norm=False,
        name=layer,
    )
    hyper.size("hidden_units", list(given["hidden_units"]))
    original.arguments.update(
        hyper_units=given["hidden_units"],
        hyper_activation=given["activation"],
        hyper_dropout=given["dropout"],
    )
