"""Lists the formats for serving and the backends that can write them."""

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

from zoo.checks import check_choice

BACKENDS = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch"}
TORCH_ONLY = "PyTorch's own format"


@dataclass(frozen=True)
class Format:
    """A format, and what each backend needs to write it.

    Attributes:
        suffix: string. The end of the output's name; empty for a folder.
        opened_by: string. The runtimes that open it for serving.
        tensorflow, jax, torch: tuple of the packages that are needed beside
            the backend; or a string, the reason why it can't write the format.
        one_message: boolean. Whether it is a single Protocol Buffers or
            FlatBuffers message, which ends at 2 GiB. Defaults to `False`.
        holds_text: boolean. Whether a model in it can take raw rows. Defaults
            to `False`.
    """

    suffix: str
    opened_by: str
    tensorflow: tuple[str, ...] | str
    jax: tuple[str, ...] | str
    torch: tuple[str, ...] | str
    one_message: bool = False
    holds_text: bool = False

    @property
    def writers(self) -> dict[str, tuple[str, ...]]:
        """The backends that can write it, with the packages they need."""
        return {
            backend: needed
            for backend in BACKENDS
            if not isinstance(needed := getattr(self, backend), str)
        }


# tests/zoo/serving/test_export.py tries every cell, those with a reason too.
FORMATS = {
    "tf_saved_model": Format(
        suffix="",
        opened_by="TensorFlow, TF Serving",
        tensorflow=(),
        jax=("tensorflow",),
        torch="Keras takes no dict of inputs there",
        holds_text=True,
    ),
    "onnx": Format(
        suffix=".onnx",
        opened_by="ONNX Runtime",
        tensorflow=("tf2onnx",),
        jax=("jax2onnx",),
        torch=("onnx",),
        one_message=True,
        holds_text=True,
    ),
    "torch": Format(
        suffix=".pt2",
        opened_by="PyTorch",
        tensorflow=TORCH_ONLY,
        jax=TORCH_ONLY,
        torch=(),
    ),
    "openvino": Format(
        suffix="",
        opened_by="OpenVINO",
        tensorflow=("openvino",),
        jax="OpenVINO can't read what jax2tf writes",
        torch=("openvino",),
    ),
    "litert": Format(
        suffix=".tflite",
        opened_by="LiteRT",
        tensorflow=(),
        jax="Keras has no converter there",
        torch="litert-torch fixes the batch size",
        one_message=True,
    ),
}


# Networks whose file a runtime can't open, with the reason.
LOOP = "its runtime has not TensorFlow's loop over a history"
SHAPES = "its runtime finds shapes that don't fit"
REFUSED = {
    ("dien", "onnx", "tensorflow"): LOOP,
    ("dien", "litert", "tensorflow"): LOOP,
    ("dien", "openvino", "tensorflow"): LOOP,
    ("mirrn", "litert", "tensorflow"): "its runtime finds a shape too large",
    ("qnn", "openvino", "tensorflow"): SHAPES,
    ("sarnet", "openvino", "torch"): SHAPES,
}


def check_network(network: str, name: str, backend: str) -> None:
    """Raises a `ValueError` for a network that a format can't hold.

    Args:
        network: string, the network's name.
        name: string, that of the format.
        backend: string, what would write it.
    """
    why = REFUSED.get((network, name, backend))
    if why is None:
        return
    others = [
        other
        for other, each in FORMATS.items()
        if backend in each.writers and (network, other, backend) not in REFUSED
    ]
    raise ValueError(
        f"`format={name!r}` can't hold '{network}' with "
        f"KERAS_BACKEND={backend}: {why}. Choose one of {others}, or another "
        f"backend. Received: format={name}, a model of '{network}'"
    )


def check_format(name: str) -> Format:
    """Returns the format if this backend and its packages can write it.

    Raises:
        ValueError: if there is no such format, or this backend can't write
            it; names one that can.
        ImportError: if a package is missing; says how to install it.
    """
    # The command line lists the formats in its help, without Keras.
    import keras

    check_choice("format", name, FORMATS)
    chosen = FORMATS[name]
    backend = keras.backend.backend()
    if backend not in chosen.writers:
        writers = list(chosen.writers)
        raise ValueError(
            f"`format={name!r}` can't be written with KERAS_BACKEND={backend} "
            f"({getattr(chosen, backend, 'not a backend of the zoo')}), but "
            f"with {' or '.join(writers)}. A preset is the same on every "
            f"backend: set KERAS_BACKEND={writers[0]} and run the same again. "
            f"Received: format={name}, KERAS_BACKEND={backend}"
        )
    for package in chosen.writers[backend]:
        if importlib.util.find_spec(package) is None:
            raise ImportError(
                f"`format={name!r}` needs the package `{package}` with "
                f"KERAS_BACKEND={backend}: run `pip install {package}`. "
                "Received: it is not installed"
            )
    return chosen


def raw_formats() -> list[str]:
    """Returns the names of the formats whose models can take raw rows."""
    return [name for name, each in FORMATS.items() if each.holds_text]


def check_holds_text(name: str) -> None:
    """Raises a `ValueError` for a format that holds no text.

    Args:
        name: string, that of the format.
    """
    if not FORMATS[name].holds_text:
        raise ValueError(
            "`raw=True` needs a format that holds text and looks it up, one of "
            f"{raw_formats()}. Received: format={name}, raw=True"
        )


def check_suffix(output: str | os.PathLike, chosen: Format) -> None:
    """Raises a `ValueError` unless the output is called as the format asks."""
    if chosen.suffix and Path(output).suffix != chosen.suffix:
        raise ValueError(
            f"`output` must end in {chosen.suffix}. Received: output={output}"
        )


def formats_table() -> str:
    """Returns the table of the guide, in Markdown."""
    names = " | ".join(BACKENDS.values())
    lines = [
        f"| `--format` | output | opened by | {names} |",
        "|---" * (3 + len(BACKENDS)) + "|",
    ]
    for name, chosen in FORMATS.items():
        output = f"`{chosen.suffix}`" if chosen.suffix else "folder"
        cells = [_cell(getattr(chosen, backend)) for backend in BACKENDS]
        lines.append(
            f"| `{name}` | {output} | {chosen.opened_by} | "
            f"{' | '.join(cells)} |"
        )
    return "\n".join(lines)


def formats_help() -> str:
    """Returns the table in a sentence, for the command line."""
    return "; ".join(
        f"{name} ({chosen.suffix or 'a folder'}): "
        + ", ".join(
            " with ".join([backend, *needed])
            for backend, needed in chosen.writers.items()
        )
        for name, chosen in FORMATS.items()
    )


def _cell(support: tuple[str, ...] | str) -> str:
    if isinstance(support, str):
        return f"no: {support}"
    return ", with ".join(["yes", *(f"`{package}`" for package in support)])
