from zoo.interop.activations import activation_of
from zoo.interop.histories import read_histories
from zoo.interop.sources import fuxictr
from zoo.models import DIN

DEFAULT_HISTORIES = (
    [("click_history", "cate_history")],
    [("item_id", "cate_id")],
)


@fuxictr("DIN")
def from_fuxictr(original):
    dim = original.embeddings("")
    histories = read_histories(
        original,
        "din_sequence_field",
        "din_target_field",
        DEFAULT_HISTORIES,
    )
    for i, names in enumerate(histories, start=1):
        hidden = original.tower(
            f"attention_layers.{i - 1}.attention_layer",
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
