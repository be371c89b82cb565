from zoo.interop.histories import read_histories
from zoo.interop.long_histories import read_compared_history
from zoo.interop.networks.bst import take_block
from zoo.interop.networks.dcn_v2 import take_matrix_cross
from zoo.interop.networks.din import DEFAULT_HISTORIES
from zoo.interop.settings import check_setting
from zoo.interop.sources import fuxictr
from zoo.models import TransAct


@fuxictr("TransAct")
def from_fuxictr(original):
    histories = read_histories(
        original,
        "sequence_item_field",
        "target_item_field",
        DEFAULT_HISTORIES,
    )
    prefixes = [f"transformer_encoders.{i}" for i in range(len(histories))]
    return _take(original, dict(zip(prefixes, histories, strict=True)), "")


@fuxictr("LongCTR_TransAct")
def from_longctr(original):
    histories = {"transformer_encoders": read_compared_history(original)}
    return _take(original, histories, "embedding_layer")


def _take(original, histories, embeddings):
    """Takes a TransAct.

    Args:
        original: `FuxiCTR`.
        histories: dict from what the original calls a transformer to the names
            of the sequences that it is over.
        embeddings: string, what it calls the tables.
    """
    check_setting(original.config, "use_time_window_mask", False, False)
    dim = original.embeddings(embeddings)
    recent = original.setting("first_k_cols", 1)
    pooled = original.setting("concat_max_pool", True)
    original.arguments.update(
        num_heads=original.setting("num_heads", 1),
        transformer_dropout=original.dropout("transformer_dropout"),
        num_recent=recent,
        max_pooling=pooled,
    )
    inputs = (original.fields - sum(map(len, histories.values()))) * dim
    for i, (prefix, names) in enumerate(histories.items(), start=1):
        width = 2 * dim * len(names)
        _take_transformer(original, prefix, i, width)
        if pooled:
            name = f"{prefix}.out_linear"
            original.dense(name, f"maximum_{i}", width, width)
        inputs += (recent + bool(pooled)) * width
    _take_dcn(original, inputs)
    return TransAct


def _take_transformer(original, prefix, i, width):
    prefix = f"{prefix}.transformer_encoder.layers"
    layers = original.count("transformer_layers", prefix)
    original.arguments["num_layers"] = layers
    for each in range(layers):
        hidden = take_block(
            original, f"{prefix}.{each}", f"block_{i}_{each + 1}", width
        )
    original.arguments["feedforward_units"] = original.size(
        "dim_feedforward", hidden
    )


def _take_dcn(original, inputs):
    take_matrix_cross(original, inputs, "dcn_cross_layers")
    deep = original.perceptron(
        "parallel_dnn", inputs, units="dcn_hidden_units", outputs=None
    )
    output = original.perceptron(
        "mlp",
        inputs + [inputs, *deep["hidden_units"]][-1],
        units="mlp_hidden_units",
        dropout=None,
        batch_norm=False,
        name="output",
    )
    original.arguments.update(deep, output_units=output["hidden_units"])
