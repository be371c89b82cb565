import math

from zoo.checks import check_positive_integers
from zoo.interop.networks.ccpm import channels_last
from zoo.interop.networks.ccpm import check_heights
from zoo.interop.networks.ccpm import map_activation
from zoo.interop.networks.ccpm import take_convolution
from zoo.interop.settings import one_each
from zoo.interop.sources import fuxictr
from zoo.models import FGCNN

CONVOLUTIONS = "fgcnn_layer.conv_layers"


@fuxictr("FGCNN")
def from_fuxictr(original):
    dim = original.embeddings()
    shared = bool(original.setting("share_embedding", False))
    if not shared:
        original.embeddings("fg_embedding_layer", "generating_embeddings", dim)
    normed = bool(original.setting("conv_batch_norm", True))
    layers = original.state.numbers(CONVOLUTIONS)
    config, count = original.config, len(layers)
    pool_sizes = one_each(config, "pooling_sizes", count, 2)
    per_row = one_each(config, "recombined_channels", count, 2)
    check_positive_integers("config['pooling_sizes']", pool_sizes)
    check_positive_integers("config['recombined_channels']", per_row)
    rows = fields = original.fields
    filters, heights = [], []
    for i in layers:
        rows = math.ceil(rows / pool_sizes[i])
        channels, height = _take_layer(original, i, rows, per_row[i], normed)
        filters.append(channels)
        heights.append(height)
        fields += rows * per_row[i]
    original.size("channels", filters)
    check_heights(original, "kernel_heights", heights)
    original.arguments.update(
        filters=tuple(filters),
        kernel_heights=tuple(heights),
        pool_sizes=tuple(pool_sizes),
        new_fields=tuple(per_row),
        convolution_activation=map_activation(original, "conv_activation"),
        convolution_norm=normed,
        shared_table=shared,
    )
    pairs = fields * (fields - 1) // 2
    original.dnn(fields * dim + pairs, batch_norm="dnn_batch_norm")
    return FGCNN


def _take_layer(original, i, rows, per_row, normed):
    name, number = f"{CONVOLUTIONS}.{i}", i + 1
    channels, height = take_convolution(
        original, f"{name}.0", f"convolution_{number}"
    )
    if height % 2 == 0:
        # The original pads less than the zoo then, and loses a row.
        raise ValueError(
            "`config['kernel_heights']` must be odd. Received: a height of "
            f"{height}"
        )
    if normed:
        layer = f"convolution_norm_{number}"
        original.batch_norm(f"{name}.1", layer, channels)
    dim, layer = original.arguments["embedding_dim"], f"recombination_{number}"
    kernel = original.dense(
        f"fgcnn_layer.recombine_layers.{i}.0",
        layer,
        channels * rows * dim,
        rows * per_row * dim,
    )
    original.put(f"{layer}/kernel", channels_last(kernel, channels, rows))
    return channels, height
