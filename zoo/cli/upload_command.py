from pathlib import Path
from typing import Annotated

import typer

from zoo.cli.failures import printing_warnings


def upload(
    folder: Annotated[Path, typer.Argument(help="Folder written by `train`.")],
    address: Annotated[
        str,
        typer.Argument(help="hf://user/repository, made if it does not exist."),
    ],
    private: Annotated[
        bool,
        typer.Option("--private", help="Make the repository a private one."),
    ] = False,
    licensed_vocabulary: Annotated[
        bool,
        typer.Option(
            "--licensed-vocabulary",
            help="Also upload the tokens of Criteo or Avazu, if their "
            "publisher allows it.",
        ),
    ] = False,
    revision: Annotated[
        str | None,
        typer.Option(help="Branch to commit to.", show_default=False),
    ] = None,
) -> None:
    """Upload a model to the Hugging Face Hub, with a model card."""
    # Registers the networks, by which a model card knows its own.
    import zoo.models  # noqa: F401
    from zoo.presets.hub_upload import upload_preset

    with printing_warnings():
        url = upload_preset(
            folder,
            address,
            private=private,
            licensed_vocabulary=licensed_vocabulary,
            revision=revision,
        )
    print(f"Uploaded: {url}")
