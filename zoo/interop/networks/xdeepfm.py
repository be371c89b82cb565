from zoo.interop.activations import activation_of
from zoo.interop.networks.autoint import take_deep_logit
from zoo.interop.networks.wide_deep import take_deep
from zoo.interop.networks.wide_deep import take_wide_deep
from zoo.interop.sources import deepctr_torch
from zoo.interop.sources import fuxictr
from zoo.layers.activation import check_activation_function
from zoo.models import XDeepFM


@fuxictr("xDeepFM")
def from_fuxictr(original):
    original.embeddings()
    original.linear("lr_layer", bias=False)
    take_deep_logit(original)
    units: list[int] = []
    maps, layer = original.fields, "cin.cin_layer.layer_1"
    while original.state.has(f"{layer}.weight"):
        shape = (original.fields, maps)
        maps = _take_layer(original, layer, len(units) + 1, shape, True)
        units.append(maps)
        layer = f"cin.cin_layer.layer_{len(units) + 1}"
    original.output("cin.fc", sum(units), layer="cin_logit")
    units = original.size("cin_hidden_units", units)
    original.arguments["cin_units"] = tuple(units)
    return XDeepFM


@deepctr_torch("xDeepFM", "cin_layer_size", "cin_split_half", "cin_activation")
def from_deepctr_torch(original):
    layers = original.state.numbers("cin.conv1ds")
    if not layers:
        original.size("cin_layer_size", [])
        return take_wide_deep(original)
    take_deep(original)
    split = bool(original.setting("cin_split_half", True))
    maps, units = original.fields, []
    for i in layers:
        shape = (maps, original.fields)
        name = f"cin.conv1ds.{i}"
        units.append(_take_layer(original, name, i + 1, shape, False))
        maps = units[-1] // 2 if split else units[-1]
    halves = sum(units[:-1]) // 2 if split else 0
    original.output(
        "cin_linear", sum(units) - halves, layer="cin_logit", bias=False
    )
    activation = activation_of(
        "cin_activation", original.setting("cin_activation", "relu")
    )
    check_activation_function("config['cin_activation']", activation)
    original.arguments.update(
        cin_units=tuple(original.size("cin_layer_size", units)),
        cin_activation=activation,
        split_half=split,
    )
    return XDeepFM


def _take_layer(original, name, number, products, fields_first):
    """Takes a convolution over products of fields and maps.

    Args:
        original: `Original`.
        name: string, what the original calls it.
        number: integer, that of the layer.
        products: tuple of two integers, the numbers of what is multiplied.
        fields_first: boolean, whether the first of them are the fields.

    Returns:
        The number of the layer's maps.
    """
    size = products[0] * products[1]
    kernel = original.take(f"{name}.weight", None, size, 1)[..., 0].T
    units = kernel.shape[1]
    if fields_first:
        kernel = kernel.reshape(*products, units).swapaxes(0, 1)
    original.put(f"cin/kernel_{number}", kernel.reshape(size, units))
    original.move(f"{name}.bias", f"cin/bias_{number}", units)
    return units
