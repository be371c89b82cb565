"""The page that tells people what a preset is, for the Hugging Face Hub."""

import hashlib
import inspect
import os
from typing import Any

from zoo.datasets.hub import full_id
from zoo.presets.folder import CURVES_FILE
from zoo.presets.folder import PresetFolder
from zoo.registry import NETWORKS

_TASK = "tabular-classification"
# In the Hub's names, in ours for people, and in `metadata.json`.
_METRICS = (
    ("roc_auc", "AUC", "auc"),
    ("log_loss", "log-loss", "log_loss"),
)
_LOADS = """\
## How to use it

`pip install "keras-cowclip[zoo]"` and a backend: `tensorflow`, `jax` or
`torch`, named by the environment variable `KERAS_BACKEND`. The files are the
same for all three.

```python
{code}
```"""
_FROM_RAW_ROWS = """\
import zoo

predictor = zoo.CTRPredictor.from_preset("{address}")
# A dict for each row, a DataFrame, an Arrow table or a file.
predictor.predict([{{{columns}}}])"""
_FROM_IDS = """\
import zoo

# Reads {{"dense": (batch, {dense}) float32, "ids": (batch, {fields}) int32}}.
model = zoo.from_preset("{address}")"""
_WITHOUT_ENCODER = """

The vocabulary that turns raw rows into ids is not part of it: only whoever has
the log can make the same ids, with `python -m zoo prepare`."""


def model_card(
    preset: str | os.PathLike,
    repository: str | None = None,
    encoder: bool = True,
    **hub: Any,
) -> Any:
    """Writes the model card of a preset from what its files say.

    Metrics, data, recipe and versions are those of its `metadata.json`; what
    that does not say, the card leaves out.

    Args:
        preset: as `zoo.from_preset` takes it.
        repository: string, `"user/repository"`, where the preset will be;
            `None` tells how to load `preset` itself. Defaults to `None`.
        encoder: boolean. Whether the preset's encoder, if it has one, goes
            along with the card. Defaults to `True`.
        **hub: as `zoo.from_preset` takes them.

    Returns:
        `huggingface_hub.ModelCard`; its `str` is the text of a `README.md`.

    Raises:
        FileNotFoundError, ValueError: as `zoo.from_preset` does.

    Example:

    >>> card = zoo.model_card("deepfm_synthetic")
    >>> card.data.pipeline_tag
    'tabular-classification'
    """
    # It takes long to import, and most of the package does without.
    import huggingface_hub

    opened = PresetFolder.open(preset, weights=False, encoder=True, **hub)
    name = repository or opened.folder.name
    address = str(preset) if repository is None else f"hf://{repository}"
    data, hub_id = _data(opened)
    facts = huggingface_hub.ModelCardData(
        library_name="keras",
        pipeline_tag=_TASK,
        tags=["keras_cowclip", "ctr-prediction", "recommendation"],
        datasets=[hub_id] if hub_id else None,
        metrics=[hub_name for hub_name, *_ in _METRICS],
        model_name=name.rpartition("/")[2],
        eval_results=_results(opened.metadata, data),
    )
    sections = (
        f"# {name}",
        _introduction(opened, data),
        _use(opened, address, encoder),
        _measured(opened),
        _recipe(opened.metadata),
    )
    text = "\n\n".join(section for section in sections if section)
    card = f"---\n{facts.to_yaml()}\n---\n\n{text}\n"
    return huggingface_hub.ModelCard(f"{card}\n{_mark(card)}\n")


def is_as_written(card: str) -> bool:
    """Whether a card is one of this package that nobody has changed."""
    text, _, mark = card.strip().rpartition("\n")
    return mark == _mark(text)


def _mark(text: str) -> str:
    digest = hashlib.sha256(text.strip().encode()).hexdigest()
    return f"<!-- by keras_cowclip, unless edited: {digest} -->"


def _data(opened: PresetFolder) -> tuple[str, str | None]:
    """The log's name, and its id on the Hub if it is there.

    A path, which `metadata.json` may have, means nothing elsewhere.
    """
    if opened.encoder_folder.is_dir():
        name = opened.load_encoder().log_format.name
        return name, full_id(name)
    return str(opened.metadata.get("data", "unknown")), None


def _results(metadata: dict[str, Any], data: str) -> list[Any] | None:
    import huggingface_hub

    metrics = metadata.get("metrics", {})
    results = [
        huggingface_hub.EvalResult(
            task_type=_TASK,
            dataset_type=data,
            dataset_name=data,
            dataset_split=metadata.get("evaluated_on"),
            metric_type=hub_name,
            metric_name=name,
            metric_value=metrics[key],
        )
        for hub_name, name, key in _METRICS
        if key in metrics
    ]
    return results or None


def _introduction(opened: PresetFolder, data: str) -> str:
    network = str(opened.registered_name).rpartition(">")[2]
    classes = {cls.__name__: cls for cls in NETWORKS.values()}
    lines = ["Predicts the probability of a click."]
    if network in classes:
        # Its first line says what the network is.
        lines.append(str(inspect.getdoc(classes[network])).splitlines()[0])
    if rows := opened.metadata.get("rows", {}).get("train"):
        lines.append(f"Trained on {rows:,} rows of the log `{data}`.")
    if note := opened.metadata.get("note"):
        lines.append(str(note))
    return "\n\n".join(lines)


def _use(opened: PresetFolder, address: str, encoder: bool) -> str:
    has_encoder = opened.encoder_folder.is_dir()
    if encoder and has_encoder:
        used = opened.load_encoder().log_format.unlabeled().used
        columns = ", ".join(f'"{name}": ...' for name in used[:2])
        code = _FROM_RAW_ROWS.format(address=address, columns=f"{columns}, ...")
        return _LOADS.format(code=code)
    schema = opened.config["config"]["schema"]["config"]
    code = _FROM_IDS.format(
        address=address,
        dense=len(schema["dense"]),
        fields=len(schema["categorical"]),
    )
    return _LOADS.format(code=code) + (_WITHOUT_ENCODER if has_encoder else "")


def _measured(opened: PresetFolder) -> str | None:
    metadata = opened.metadata
    metrics = metadata.get("metrics", {})
    if not metrics:
        return None
    best = metadata.get("bayes") or {}
    split = metadata.get("evaluated_on", "test")
    rows = metadata.get("rows", {}).get(split)
    counted = f", {rows:,} rows" if rows else ""
    lines = [
        "## What was measured",
        "",
        f"| {split} split{counted} | this model |"
        + (" best possible |" if best else ""),
        "|---|---|" + ("---|" if best else ""),
    ]
    for name, value in metrics.items():
        possible = f" {best[name]:.5f} |" if name in best else ""
        lines.append(f"| {name} | {value:.5f} |{possible}")
    if (opened.folder / CURVES_FILE).is_file():
        lines += ["", f"![Learning curves]({CURVES_FILE})"]
    return "\n".join(lines)


def _recipe(metadata: dict[str, Any]) -> str | None:
    recipe = metadata.get("recipe")
    if not recipe:
        return None
    lines = ["## How it was trained", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in recipe.items()]
    ran = [
        f"{metadata['seconds']:.0f} seconds" if "seconds" in metadata else "",
        str(metadata.get("hardware", "")),
        str(metadata.get("backend", "")),
        *(f"{n} {v}" for n, v in metadata.get("versions", {}).items()),
    ]
    lines += ["", ", ".join(part for part in ran if part) + "."]
    return "\n".join(lines)
