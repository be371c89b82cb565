from pathlib import Path
from typing import Annotated
from typing import Literal

import typer

from zoo.cli.options import Preset
from zoo.serving.export_formats import formats_help
from zoo.serving.export_formats import raw_formats

# Typer wants the choices spelled out; a test holds them to `FORMATS`.
FormatName = Literal["tf_saved_model", "onnx", "torch", "openvino", "litert"]


def export(
    preset: Preset,
    format: Annotated[
        FormatName,
        typer.Option(
            help=f"Each with the backends that write it: {formats_help()}."
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(help="File or folder to write; it must not exist."),
    ],
    raw: Annotated[
        bool,
        typer.Option(
            "--raw",
            help="Put the encoder into the model: raw rows in. With "
            f"{' or '.join(raw_formats())}.",
        ),
    ] = False,
) -> None:
    """Write a model for another runtime: ids or rows in, probabilities out."""
    from zoo.serving.exporting import export as export_preset

    export_preset(preset, output, format, raw)
    print(f"Exported: {output}")
