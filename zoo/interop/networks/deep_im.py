from zoo.interop.sources import fuxictr
from zoo.models import DeepIM


@fuxictr("DeepIM")
def from_fuxictr(original):
    dim = original.embeddings()
    shape = original.state.shape("im_layer.fc.weight")
    order = original.size("im_order", shape[1] // dim)
    normed = bool(original.setting("im_batch_norm", False))
    original.output("im_layer.fc", order * dim, layer="interaction")
    if normed:
        original.batch_norm("im_layer.bn", "interaction_norm", order * dim)
    original.arguments.update(order=order, interaction_norm=normed)
    _take_perceptron(original)
    return DeepIM


def _take_perceptron(original):
    if not original.state.numbers("dnn.mlp"):
        original.size("hidden_units", None)
        original.arguments["hidden_units"] = ()
        return
    deep = original.perceptron(
        "dnn", original.width, batch_norm="net_batch_norm"
    )
    if not deep["hidden_units"]:
        raise ValueError(
            "`config['hidden_units']` must be None, or have a width: the zoo's "
            "network has no linear output of the embeddings. "
            "Received: config['hidden_units']=[]"
        )
    original.arguments.update(deep)
