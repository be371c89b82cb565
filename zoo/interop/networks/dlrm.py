from zoo.interop.activations import activation_of
from zoo.interop.sources import fuxictr
from zoo.models import DLRM
from zoo.models.dlrm import INTERACTIONS


@fuxictr("DLRM")
def from_fuxictr(original):
    interaction = original.choice("interaction_op", "dot", INTERACTIONS)
    numeric, vectors = _order(original)
    dim = original.embeddings(numeric=False)
    original.arguments["interaction"] = interaction
    if numeric:
        _take_bottom(original)
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
    """Reads the order of the fields.

    Returns:
        Whether there are numeric columns, and the number of vectors.
    """
    columns = original.columns
    fields = [name for name in columns.order if name not in columns.dense]
    original.arguments["dense"] = "concat"
    original.arguments.pop("field_order", None)
    if fields != [*columns.categorical, *columns.sequences]:
        original.arguments["field_order"] = tuple(fields)
    numeric = bool(columns.dense)
    return numeric, len(fields) + numeric


def _take_bottom(original):
    name = "bottom_mlp_activations"
    # The original gives this one activation to the last layer as well.
    kind = activation_of(name, original.setting(name, "ReLU"))
    bottom = original.tower(
        "bottom_mlp",
        len(original.columns.dense),
        "bottom_output_hidden_1",
        activations=name,
        dropout="bottom_mlp_dropout",
        name="bottom",
    )
    original.size("bottom_mlp_units", list(bottom["hidden_units"]))
    original.arguments.update(
        bottom_units=bottom["hidden_units"],
        bottom_activation=kind,
        bottom_dropout=bottom["dropout"],
    )
