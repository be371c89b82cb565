import numpy as np

from zoo.checks import check_number
from zoo.interop.activations import activations_of
from zoo.interop.settings import dropouts_of
from zoo.interop.settings import hidden_arguments
from zoo.interop.sources import fuxictr
from zoo.models import MaskNet


@fuxictr("MaskNet")
def from_fuxictr(original):
    kinds = ("SerialMaskNet", "ParallelMaskNet")
    kind = original.choice("model_type", "SerialMaskNet", kinds)
    dim = original.embeddings()
    normed = original.setting("emb_layernorm", True)
    if normed:
        for ours, theirs in (("gamma", "weight"), ("beta", "bias")):
            rows = [
                original.take(f"emb_norm.{i}.{theirs}", dim)
                for i in range(original.fields)
            ]
            original.put(f"embedding_norm/{ours}", np.stack(rows))
    ratio = original.setting("reduction_ratio", 1)
    check_number("config['reduction_ratio']", ratio, "above 0", lambda x: x > 0)
    original.arguments.update(
        embedding_norm=normed,
        block_norm=original.setting("net_layernorm", True),
        reduction_ratio=ratio,
    )
    if kind == "SerialMaskNet":
        _take_serial(original)
    else:
        _take_parallel(original)
    return MaskNet


def _take_serial(original):
    blocks, hidden, units = "mask_net.mask_blocks", original.width, []
    for i in original.state.numbers(blocks):
        hidden = _take_block(original, i, hidden)
        units.append(hidden)
    original.output("mask_net.fc.0", hidden)
    original.size("dnn_hidden_units", units)
    original.arguments.update(
        _settings(original, len(units)),
        structure="serial",
        hidden_units=tuple(units),
    )


def _take_parallel(original):
    count = original.count("parallel_num_blocks", "mask_net.mask_blocks")
    units = [_take_block(original, i, original.width) for i in range(count)]
    deep = original.perceptron(
        "mask_net.dnn",
        sum(units),
        units="dnn_hidden_units",
        activations="dnn_hidden_activations",
        batch_norm=False,
    )
    original.arguments.update(
        # Those of the blocks, which a perceptron without layers has, too.
        _settings(original, 1),
        structure="parallel",
        num_blocks=count,
        block_units=original.size("parallel_block_dim", units[0]),
        hidden_units=deep["hidden_units"],
    )


def _settings(original, layers):
    kinds = activations_of(original.config, "dnn_hidden_activations", layers)
    rates = dropouts_of(original.config, "net_dropout", layers)
    return hidden_arguments(kinds, False, rates)


def _take_block(original, place, hidden):
    name, layer = f"mask_net.mask_blocks.{place}", f"block_{place + 1}"
    ratio = original.arguments["reduction_ratio"]
    squeezed, squeeze = int(hidden * ratio), f"{name}.mask_layer.0"
    original.dense(squeeze, f"{layer}_squeeze", original.width, squeezed)
    original.dense(f"{name}.mask_layer.2", f"{layer}_mask", squeezed, hidden)
    kernel = original.dense(
        f"{name}.hidden_layer.0", f"{layer}_hidden_1", hidden, bias=False
    )
    units = kernel.shape[1]
    if original.setting("net_layernorm", True):
        original.layer_norm(f"{name}.hidden_layer.1", f"{layer}_norm_1", units)
    return units
