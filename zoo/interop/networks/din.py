from zoo.interop.activations import activation_of
from zoo.interop.histories import read_histories
from zoo.interop.histories import read_named_histories
from zoo.interop.long_histories import read_compared_history
from zoo.interop.sources import deepctr_torch
from zoo.interop.sources import fuxictr
from zoo.models import DIN

DEFAULT_HISTORIES = (
    [("click_history", "cate_history")],
    [("item_id", "cate_id")],
)


@fuxictr("DIN")
def from_fuxictr(original):
    histories = read_histories(
        original,
        "din_sequence_field",
        "din_target_field",
        DEFAULT_HISTORIES,
    )
    prefixes = [f"attention_layers.{i}" for i in range(len(histories))]
    return _take(original, dict(zip(prefixes, histories, strict=True)), "")


@fuxictr("LongCTR_DIN")
def from_longctr(original):
    histories = {"attention_layers": read_compared_history(original)}
    return _take(original, histories, "embedding_layer")


def _take(original, histories, embeddings):
    """Takes a DIN.

    Args:
        original: `FuxiCTR`.
        histories: dict from what the original calls an attention to the names
            of the sequences that it is over.
        embeddings: string, what it calls the tables.
    """
    dim = original.embeddings(embeddings)
    for i, (prefix, names) in enumerate(histories.items(), start=1):
        hidden = original.tower(
            f"{prefix}.attention_layer",
            4 * dim * len(names),
            f"attention_{i}_score",
            activations="attention_hidden_activations",
            default_activation="Dice",
            dropout="attention_dropout",
            batch_norm=False,
            name=f"attention_{i}",
        )
    original.dnn(original.width)
    original.arguments.update(
        attention_units=hidden["hidden_units"],
        attention_activation=hidden["activation"],
        attention_dropout=hidden["dropout"],
        attention_output=activation_of(
            "attention_output_activation",
            original.setting("attention_output_activation", None),
        )
        or "linear",
        softmax=original.setting("din_use_softmax", False),
    )
    return DIN


@deepctr_torch(
    "DIN",
    "history_feature_list",
    "att_hidden_size",
    "att_activation",
    "att_weight_normalization",
)
def from_deepctr_torch(original):
    columns = original.columns
    original.embeddings()
    history, others = read_named_histories(original, "history_feature_list")
    order = [*columns.categorical, *others, *history]
    if order != [*columns.categorical, *columns.sequences]:
        original.arguments["field_order"] = tuple(order)
    hidden = take_local_attention(
        original,
        "attention.local_att",
        len(history) * columns.embedding_dim,
        "attention_1",
        units="att_hidden_size",
        default_activation="Dice",
    )
    original.arguments.update(
        attention_units=hidden["hidden_units"],
        attention_activation=hidden["activation"],
        softmax=original.setting("att_weight_normalization", False),
    )
    width = original.perceptron(original.width)
    original.output("dnn_linear", width, bias=False)
    original.bias()
    return DIN


def take_local_attention(
    original, prefix, width, name, units, default_activation
):
    """Takes DeepCTR-Torch's `LocalActivationUnit`.

    Args:
        original: `DeepCTRTorch`.
        prefix: string, what the original calls it.
        width: integer, length of an event's vector.
        name: string, as `Features.scores` takes it.
        units: string, the setting of its widths.
        default_activation: string, the original's own.

    Returns:
        What `DeepCTRTorch.layers` returns.
    """
    hidden = original.layers(
        4 * width,
        f"{prefix}.dnn",
        units,
        activation="att_activation",
        default_activation=default_activation,
        name=name,
    )
    last = hidden["hidden_units"][-1]
    original.dense(f"{prefix}.dense", f"{name}_score", last, 1)
    return hidden
