from zoo.interop.activations import activation_of
from zoo.interop.histories import read_histories
from zoo.interop.long_histories import read_compared_history
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
    original.arguments.update(
        original.perceptron(
            "dnn",
            original.width,
            units="dnn_hidden_units",
            activations="dnn_activations",
        )
    )
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
