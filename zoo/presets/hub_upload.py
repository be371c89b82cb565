"""Uploads presets to the Hugging Face Hub."""

import os
import warnings
from pathlib import Path
from typing import Any

from zoo.datasets import LICENSED
from zoo.encoding.encoder import ENCODER_FILE
from zoo.presets.card import is_as_written
from zoo.presets.card import model_card
from zoo.presets.folder import CARD_FILE
from zoo.presets.folder import CONFIG_FILE
from zoo.presets.folder import CURVES_FILE
from zoo.presets.folder import ENCODER_FOLDER
from zoo.presets.folder import METADATA_FILE
from zoo.presets.folder import WEIGHTS_FILE
from zoo.presets.folder import PresetFolder
from zoo.presets.source import repository_of


def upload_preset(
    folder: str | os.PathLike,
    address: str,
    *,
    licensed_vocabulary: bool = False,
    private: bool = False,
    token: str | bool | None = None,
    revision: str | None = None,
    commit_message: str = "Upload a preset of keras_cowclip",
) -> str:
    """Uploads a preset to the Hugging Face Hub, with a model card.

    One commit has the model, its metadata, the encoder, the learning curves
    and the card. Other files of the folder are not uploaded. The card is the
    folder's own `README.md` if it has one, else that of `zoo.model_card`, which
    replaces no card that somebody wrote or edited in the repository.

    The encoder holds every token of the log, such as the ids of users and
    devices. It is left out, with a warning, if the log's publisher allows no
    copies of its parts (Criteo's and Avazu's, `zoo.datasets.LICENSED`).

    Args:
        folder: path of a folder that `python -m zoo train` or `save_to_preset`
            wrote.
        address: string, `"hf://user/repository"`. Made if there is none.
        licensed_vocabulary: boolean. Whether to upload the encoder of a
            licensed log as well, if its publisher allows it. Defaults to
            `False`.
        private: boolean. Whether a repository that is made is private.
            Defaults to `False`.
        token: string. For the Hub; `None` takes the one that you are logged in
            with. Defaults to `None`.
        revision: string. The branch to commit to. Defaults to `None`, the
            main branch.
        commit_message: string.

    Returns:
        The URL of the commit.

    Raises:
        FileNotFoundError: if the preset or one of its files is missing.
        ValueError: if a file is damaged, or for an address without user and
            repository.
        OSError: if the Hub can't be reached or refuses.

    Example:

    ```python
    zoo.upload_preset("runs/shop", "hf://user/deepfm-shop", private=True)
    model = zoo.from_preset("hf://user/deepfm-shop")
    ```
    """
    # It takes long to import, and most of the package does without.
    import huggingface_hub

    repository = repository_of(address)
    opened = PresetFolder.open(folder)
    opened.check_weights()
    with_encoder = _may_upload_encoder(opened, licensed_vocabulary)
    files = _files(opened.folder, with_encoder)
    generate_card = CARD_FILE not in files
    if generate_card:
        card = model_card(opened.folder, repository, with_encoder)
        files[CARD_FILE] = str(card).encode()
    hub = huggingface_hub.HfApi(token=token)
    try:
        hub.create_repo(repository, private=private, exist_ok=True)
        if generate_card and _has_card_by_hand(hub, repository, revision):
            del files[CARD_FILE]
        operations: list[Any] = [
            huggingface_hub.CommitOperationAdd(name, content)
            for name, content in files.items()
        ]
        # The encoder of an earlier model would give this one wrong ids.
        if not with_encoder and hub.file_exists(
            repository, f"{ENCODER_FOLDER}/{ENCODER_FILE}", revision=revision
        ):
            operations.append(
                huggingface_hub.CommitOperationDelete(
                    f"{ENCODER_FOLDER}/", is_folder=True
                )
            )
        commit = hub.create_commit(
            repository,
            operations,
            commit_message=commit_message,
            revision=revision,
        )
    except huggingface_hub.errors.HTTPError as error:
        raise OSError(
            "The Hub must be reachable and let you write: log in with `hf auth "
            f"login` or give `token`. Received: address={address} ({error})"
        ) from error
    return str(commit.commit_url)


def _has_card_by_hand(hub: Any, repository: str, revision: str | None) -> bool:
    """Whether the repository has a card that was written or edited by hand."""
    if not hub.file_exists(repository, CARD_FILE, revision=revision):
        return False
    path = hub.hf_hub_download(repository, CARD_FILE, revision=revision)
    return not is_as_written(Path(path).read_text())


def _may_upload_encoder(
    opened: PresetFolder, licensed_vocabulary: bool
) -> bool:
    if not opened.encoder_folder.is_dir():
        return False
    name = opened.load_encoder().log_format.name
    if name not in LICENSED or licensed_vocabulary:
        return True
    warnings.warn(
        f"The encoder is left out, because it holds the tokens of {name}, "
        "whose publisher allows no copies of its parts. The uploaded preset "
        "can't score raw rows. If the publisher allows you to upload them, "
        "give `licensed_vocabulary=True`. "
        f"Received: folder={opened.preset}",
        stacklevel=3,
    )
    return False


def _files(folder: Path, with_encoder: bool) -> dict[str, Any]:
    """Returns the files to upload by their names in the repository."""
    names = [CONFIG_FILE, WEIGHTS_FILE, METADATA_FILE]
    names += [
        name for name in (CURVES_FILE, CARD_FILE) if (folder / name).is_file()
    ]
    if with_encoder:
        names += [
            path.relative_to(folder).as_posix()
            for path in sorted((folder / ENCODER_FOLDER).rglob("*"))
            if path.is_file()
        ]
    return {name: folder / name for name in names}
