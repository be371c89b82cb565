from zoo.interop.histories import read_histories
from zoo.interop.networks.din import DEFAULT_HISTORIES
from zoo.interop.sources import fuxictr
from zoo.models import BST
from zoo.models.bst import POOLINGS


@fuxictr("BST")
def from_fuxictr(original):
    dim = original.embeddings("")
    histories = read_histories(
        original, "bst_sequence_field", "bst_target_field", DEFAULT_HISTORIES
    )
    pooling = original.choice("seq_pooling_type", "mean", POOLINGS)
    position = original.setting("use_position_emb", True)
    original.arguments.update(
        num_heads=original.setting("num_heads", 2),
        position="concat" if position else None,
        pooling=pooling,
        causal=original.setting("use_causal_mask", False),
        residual=original.setting("use_residual", True),
        layer_norm=original.setting("layer_norm", True),
        attention_dropout=original.dropout("attention_dropout"),
        transformer_dropout=original.dropout("net_dropout"),
    )
    inputs = (original.fields - sum(map(len, histories))) * dim
    for i, names in enumerate(histories):
        length = original.columns.sequences[names[0]].max_length + 1
        width = dim * (len(names) + bool(position))
        prefix = f"transformer_encoders.{i}"
        if position:
            vectors = f"positions_{i + 1}/vectors"
            original.move(f"{prefix}.position_emb", vectors, length, dim)
        _take_blocks(original, f"{prefix}.transformer_blocks", i + 1, width)
        inputs += width * (length if pooling == "concat" else 1)
    original.dnn(inputs)
    return BST


def _take_blocks(original, prefix, i, width):
    layers = original.count("stacked_transformer_layers", prefix)
    original.arguments["num_layers"] = layers
    for each in range(layers):
        take_block(
            original,
            f"{prefix}.{each}",
            f"block_{i}_{each + 1}",
            width,
            attention="attention",
            feedforward=("ffn.0", "ffn.2"),
            norms=("layer_norm1", "layer_norm2")
            if original.arguments["layer_norm"]
            else (),
        )


def take_block(
    original,
    prefix,
    layer,
    width,
    attention="self_attn",
    feedforward=("linear1", "linear2"),
    norms=("norm1", "norm2"),
):
    """Takes a block of PyTorch's parts as a `zoo.layers.TransformerBlock`.

    Args:
        original: `Original`.
        prefix, layer: strings, what the original and the zoo call it.
        width: integer, the length of an event's vector.
        attention, feedforward, norms: the original's names of its parts, by
            default those of `torch.nn.TransformerEncoderLayer`.

    Returns:
        The width of the perceptron's hidden layer.
    """
    for ours, theirs, units in (
        ("projection", "in_proj_", 3 * width),
        ("heads", "out_proj.", width),
    ):
        start = f"{prefix}.{attention}.{theirs}"
        kernel = original.take(f"{start}weight", units, width)
        original.put(f"{layer}/{ours}_kernel", kernel.T)
        original.move(f"{start}bias", f"{layer}/{ours}_bias", units)
    first, second = (f"{prefix}.{each}" for each in feedforward)
    hidden = original.dense(first, f"{layer}/feedforward_1", width).shape[1]
    original.dense(second, f"{layer}/feedforward_2", hidden, width)
    for ours, theirs in zip(
        ("attention_norm", "feedforward_norm"), norms, strict=False
    ):
        original.layer_norm(f"{prefix}.{theirs}", f"{layer}/{ours}", width)
    return hidden
