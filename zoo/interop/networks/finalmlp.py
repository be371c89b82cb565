from zoo.checks import check_positive_integer
from zoo.interop.long_histories import read_long_history
from zoo.interop.sources import fuxictr
from zoo.models import FinalMLP


@fuxictr("FinalMLP")
def from_fuxictr(original):
    original.embeddings()
    first, second = _take_streams(original, outputs=(None, None))
    selection = original.setting("use_fs", True)
    original.arguments["selection"] = selection
    if selection:
        for stream, number in (("first", 1), ("second", 2)):
            _take_gate(original, stream, number)
    fusion = "fusion_module"
    original.output(f"{fusion}.w_x", first)
    original.output(f"{fusion}.w_y", second, "second_logit")
    heads = original.setting("num_heads", 1)
    check_positive_integer("config['num_heads']", heads)
    kernel = original.take(f"{fusion}.w_xy", first * second // heads, 1)
    original.put(
        "fusion/kernel", kernel.reshape(heads, first // heads, second // heads)
    )
    original.arguments["num_heads"] = heads
    return FinalMLP


@fuxictr("LongCTR_FinalMLP")
def from_longctr(original):
    read_long_history(original)
    # The original has these gates, but never uses them.
    original.state.drop("fs_module.")
    original.config = {**original.config, "use_fs": False}
    return from_fuxictr(original)


@fuxictr("DualMLP")
def from_fuxictr_dual(original):
    original.embeddings()
    _take_streams(original, outputs=("logit", "second_logit"))
    original.arguments.update(fusion=False, selection=False)
    return FinalMLP


def _take_streams(original, outputs):
    widths = []
    for number, output in enumerate(outputs, start=1):
        name, start = f"mlp{number}", "" if number == 1 else "second_"
        stream = original.perceptron(
            name,
            original.width,
            units=f"{name}_hidden_units",
            activations=f"{name}_hidden_activations",
            dropout=f"{name}_dropout",
            batch_norm=f"{name}_batch_norm",
            outputs=output,
            name=None if number == 1 else "second",
        )
        units = stream.pop("hidden_units")
        widths.append(units[-1] if units else original.width)
        original.arguments.update(
            {f"{start}{setting}": value for setting, value in stream.items()},
            **{"hidden_units" if number == 1 else "second_units": units},
        )
    return widths


def _take_gate(original, stream, number):
    prefix, dim = f"fs_module.fs{number}", original.arguments["embedding_dim"]
    columns = original.listed(f"fs{number}_context")
    if columns:
        tables = f"{prefix}_ctx_emb.embedding_layer.embedding_layers.{{}}"
        original.selected(columns, tables, f"{stream}_context", dim)
    else:
        vector = original.take(f"{prefix}_ctx_bias", 1, dim)
        original.put(f"{stream}_context/vector", vector[0])
    stack, inputs = f"{prefix}_gate.mlp", dim * max(1, len(columns))
    places = original.state.numbers(stack)
    units = [
        original.state.shape(f"{stack}.{i}.weight")[0] for i in places[:-1]
    ]
    original.size("fs_hidden_units", units)
    for i, (place, width) in enumerate(
        zip(places[:-1], units, strict=True), start=1
    ):
        original.dense(
            f"{stack}.{place}", f"{stream}_gate_hidden_{i}", inputs, width
        )
        inputs = width
    original.dense(
        f"{stack}.{places[-1]}", f"{stream}_gate", inputs, original.width
    )
    original.arguments.update(
        {f"{stream}_context": tuple(columns), "gate_units": tuple(units)}
    )
