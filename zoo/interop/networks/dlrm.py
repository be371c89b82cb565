from zoo.checks import check_choice
from zoo.interop.activations import activation_of
from zoo.interop.sources import fuxictr
from zoo.models import DLRM
from zoo.models.dlrm import INTERACTIONS


@fuxictr("DLRM")
def from_fuxictr(original):
    interaction = original.setting("interaction_op", "dot")
    check_choice("config['interaction_op']", interaction, INTERACTIONS)
    numeric, vectors = _order(original)
    dim = original.embeddings(numeric=False)
    original.arguments["interaction"] = interaction
    if numeric:
        _take_bottom(original, dim)
    inputs = vectors * dim
    if interaction == "dot":
        inputs = vectors * (vectors - 1) // 2 + dim * numeric
    top = original.perceptron(
        "top_mlp",
        inputs,
        units="top_mlp_units",
        activations="top_mlp_activations",
        dropout="top_mlp_dropout",
    )
    original.arguments.update(top)
    return DLRM


def _order(original):
    """Whether there are numeric columns, and the number of vectors."""
    columns = original.columns
    fields = [name for name in columns.order if name not in columns.dense]
    original.arguments["dense"] = "concat"
    original.arguments.pop("field_order", None)
    if fields != [*columns.categorical, *columns.sequences]:
        original.arguments["field_order"] = tuple(fields)
    numeric = bool(columns.dense)
    return numeric, len(fields) + numeric


def _take_bottom(original, dim):
    stack, name = "bottom_mlp.mlp", "bottom_mlp_activations"
    # One activation, for the original gives it to the last layer as well.
    kind = activation_of(name, original.setting(name, "ReLU"))
    numbers = [
        number
        for number in original.state.numbers(stack)
        if len(original.state.shape(f"{stack}.{number}.weight")) == 2
    ]
    widths = [
        original.state.shape(f"{stack}.{number}.weight")[0]
        for number in numbers[:-1]
    ]
    inputs = len(original.columns.dense)
    bottom = original.perceptron(
        "bottom_mlp",
        inputs,
        units=original.size("bottom_mlp_units", widths),
        activations=name,
        dropout="bottom_mlp_dropout",
        outputs=None,
        name="bottom",
    )
    original.dense(
        f"{stack}.{numbers[-1]}",
        "bottom_output_hidden_1",
        [inputs, *widths][-1],
        dim,
    )
    original.arguments.update(
        bottom_units=tuple(widths),
        bottom_activation=kind,
        bottom_dropout=bottom["dropout"],
    )
