import numpy as np

from zoo.interop.networks.wide_deep import take_wide_deep
from zoo.interop.sources import deepctr_torch
from zoo.interop.sources import fuxictr
from zoo.models import AutoInt


@fuxictr("AutoInt")
def from_fuxictr(original):
    width = original.embeddings()
    layers = check_layers(original, "self_attention")
    layer_norm = original.setting("layer_norm", False)
    residual = original.setting("use_residual", True)
    units = None
    for i in range(layers):
        prefix, layer = f"self_attention.{i}", f"attention_{i + 1}"
        units = take_projections(original, prefix, layer, width, units)
        if residual and width != units:
            original.move(
                f"{prefix}.W_res.weight",
                f"{layer}/residual_kernel",
                units,
                width,
                transposed=True,
            )
        if layer_norm:
            norm = f"attention_norm_{i + 1}"
            original.layer_norm(f"{prefix}.layer_norm", norm, units)
        width = units
    original.arguments.update(
        attention_units=original.size("attention_dim", units),
        num_heads=original.setting("num_heads", 1),
        num_layers=layers,
        scaled=original.setting("use_scale", False),
        residual="input" if residual else None,
        layer_norm=layer_norm,
        attention_dropout=original.dropout("net_dropout"),
        linear=original.setting("use_wide", False),
    )
    original.output("fc", original.fields * units, "attention_logit")
    take_deep_logit(original)
    if original.arguments["linear"]:
        original.linear("lr_layer", bias=False)
    return AutoInt


def check_layers(original, prefix, setting="attention_layers"):
    """Returns the number of layers of attention, which must be positive."""
    layers = original.count(setting, prefix)
    if not layers:
        raise ValueError(
            f"`config['{setting}']` must be positive: the zoo's network has a "
            f"layer of attention. Received: config['{setting}']=0"
        )
    return layers


def take_projections(original, prefix, layer, inputs, units, bias=False):
    """Takes the projections to queries, keys and values as one kernel.

    Args:
        original: `FuxiCTR`.
        prefix: string, what the original calls the layer of attention.
        layer: string, what the zoo calls its `FieldSelfAttention`.
        inputs, units: integers, its sizes; `None` for any.
        bias: boolean, whether they have biases. Defaults to `False`.

    Returns:
        The width of each.
    """
    names = [f"{prefix}.W_{each}" for each in "qkv"]
    units = units or original.state.shape(f"{names[0]}.weight")[0]
    kernels = [original.take(f"{n}.weight", units, inputs).T for n in names]
    original.put(f"{layer}/kernel", np.concatenate(kernels, axis=1))
    if bias:
        biases = [original.take(f"{name}.bias", units) for name in names]
        original.put(f"{layer}/bias", np.concatenate(biases))
    return units


def take_deep_logit(original):
    """Takes FuxiCTR's perceptron `dnn` with its output, if there is one."""
    if not original.state.numbers("dnn.mlp"):
        original.size("dnn_hidden_units", [])
        original.arguments["hidden_units"] = ()
        return
    original.dnn(original.width)


@deepctr_torch("AutoInt", "att_layer_num", "att_head_num", "att_res")
def from_deepctr_torch(original):
    layers = original.count("att_layer_num", "int_layers")
    if not layers:
        return take_wide_deep(original)
    original.embeddings()
    original.linear()
    original.bias()
    residual = original.setting("att_res", True)
    for i in range(layers):
        prefix, layer = f"int_layers.{i}", f"attention_{i + 1}"
        take_interacting(original, prefix, layer, residual)
    original.arguments.update(
        attention_units=original.columns.embedding_dim,
        num_heads=original.setting("att_head_num", 2),
        num_layers=layers,
        residual="projected" if residual else None,
        layer_norm=False,
    )
    width = original.embedded
    deep = original.perceptron(original.width)
    if not original.arguments["hidden_units"]:
        deep = 0
    kernel = original.take("dnn_linear.weight", 1, width + deep).T
    original.put("attention_logit/kernel", kernel[:width])
    if deep:
        original.put("logit/kernel", kernel[width:])
    return AutoInt


def take_interacting(original, prefix, layer, residual):
    """Takes DeepCTR-Torch's `InteractingLayer` as `FieldSelfAttention`."""
    dim = original.columns.embedding_dim
    kernels = [
        original.take(f"{prefix}.{name}", dim, dim)
        for name in ("W_Query", "W_key", "W_Value")
    ]
    original.put(f"{layer}/kernel", np.concatenate(kernels, axis=1))
    if residual:
        original.move(f"{prefix}.W_Res", f"{layer}/residual_kernel", dim, dim)
