import os
from collections.abc import Mapping
from typing import Any

import zoo.interop.networks  # noqa: F401 - registers how to import each
from zoo.checks import check_choice
from zoo.interop.deepctr_torch_original import import_deepctr_torch
from zoo.interop.fuxictr_original import import_fuxictr
from zoo.interop.settings import check_mapping
from zoo.interop.state_dict import StateDict
from zoo.models.ctr_model import CTRModel

SOURCES = {"fuxictr": import_fuxictr, "deepctr_torch": import_deepctr_torch}


def import_checkpoint(
    path: str | os.PathLike,
    source: str,
    features: Any,
    model: str | None = None,
    config: Mapping[str, Any] | None = None,
) -> CTRModel:
    """Imports a model that FuxiCTR or DeepCTR-Torch trained.

    The result is a network of the zoo on the backend that Keras runs on, whose
    logits are the original's up to rounding (1e-5). Settings that the zoo's
    networks can't express are refused, and every tensor of the checkpoint must
    find its place. PyTorch reads the file; the original library is not needed.

    The ids are those of the original: id `i` of a field has row `i` of the
    original's table, FuxiCTR's padding row (0) and out-of-vocabulary row
    included. `"ids"` has the categorical fields and `"dense"` the numeric
    ones, each in the order of `features`, and each sequence is an input of its
    own, padded with -1 where the original has 0, or in DeepCTR-Torch where
    its column of lengths says that it ends. The original's own
    preprocessing of numeric values is not part of the model.

    FuxiCTR's networks for long histories (`LongCTR`) have no columns of a
    history: each column of `source` "item" gets one, `item_id_history` for
    `item_id`, of the length `max_len` of `config`. Those that FuxiCTR has a
    second time are `model="LongCTR_DIN"` and so on, without that of `config`.

    The networks are those of the guide's table. A part that the original lacks,
    such as the linear part of FuxiCTR's DCN, the result lacks too. Several
    biases of the logit become one.

    Args:
        path: path of the file that `torch.save(model.state_dict(), path)`
            wrote; FuxiCTR's `.model` files are such.
        source: string, `"fuxictr"` or `"deepctr_torch"`.
        features: for FuxiCTR the path of `feature_map.json`, or its content.
            For DeepCTR-Torch the list of `SparseFeat`, `VarLenSparseFeat` and
            `DenseFeat` columns, the same for the linear part and the deep one;
            any objects that have their attributes will do.
        model: string. Class of the original. Defaults to `None`, for FuxiCTR
            that of `config`.
        config: dict of the original's settings. For FuxiCTR those of its
            experiment in `model_config.yaml`; those that only matter to
            training and data are not looked at. For DeepCTR-Torch the
            arguments given to the class. Defaults to `None`, all at the
            original's defaults.

    Returns:
        The model, uncompiled.

    Raises:
        FileNotFoundError: if a file is missing.
        ImportError: if PyTorch is not installed.
        ValueError: if an argument is not of its kind, the file holds other
            things than tensors (no code in it is run), or the zoo has no
            network that is the original exactly.

    Example:

    ```python
    model = zoo.import_checkpoint(
        "DeepFM_avazu_x4.model",
        source="fuxictr",
        features="avazu_x4/feature_map.json",
        config={"model": "DeepFM", "hidden_activations": "relu"},
    )
    model.save_to_preset("presets/deepfm_avazu_x4")
    ```

    Reference:
    - [FuxiCTR](https://github.com/reczoo/FuxiCTR)
    - [DeepCTR-Torch](https://github.com/shenweichen/DeepCTR-Torch)
    """
    check_choice("source", source, SOURCES)
    settings = check_mapping(config)
    state = StateDict.read(path)
    return SOURCES[source](state, features, model, settings)
