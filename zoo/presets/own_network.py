"""Saves and rebuilds models of a user's own classes, without running code."""

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from zoo.encoding import ClickEncoder
from zoo.feature_schema import FeatureSchema
from zoo.runtime.default_policy import dtype_scope

# They hold code, or a file of code.
_LAYERS_OF_CODE = (
    "Lambda", "FlaxLayer", "JaxLayer", "TFSMLayer", "TorchModuleWrapper",
)  # fmt: skip
_POLICIES = ("DTypePolicy", "DTypePolicyMap")
_HOW_TO_REGISTER = (
    'put `@keras.saving.register_keras_serializable("my_package")` above it, '
    "and import it before the preset is loaded. "
)


def config_of(model: keras.Model) -> dict[str, Any]:
    """Returns the config that `restored_model` rebuilds a model from."""
    config = keras.saving.serialize_keras_object(model)
    for key in ("compile_config", "build_config"):
        config.pop(key, None)
    return config


def fingerprint_of(model: keras.Model) -> str:
    """Returns a hash that two models of the same code have in common.

    It leaves out the numbers that Keras appends to the names of layers.
    """
    content = json.dumps(config_of(model), sort_keys=True)
    unnumbered = re.sub(r'_\d+"', '"', content)
    return hashlib.sha256(unnumbered.encode()).hexdigest()


def schema_of(
    model: keras.Model, encoder: ClickEncoder | None
) -> FeatureSchema:
    """Returns the schema that a model or its encoder keeps.

    Raises:
        ValueError: if neither does.
    """
    kept = getattr(model, "schema", None)
    if isinstance(kept, FeatureSchema):
        return kept
    if encoder is None:
        raise ValueError(
            "`schema` must say which columns a model of yours takes, where no "
            f"`encoder` does. Received: schema=None, model={model!r}"
        )
    return encoder.schema


def check_restorable(model: keras.Model, schema: FeatureSchema) -> None:
    """Raises unless a preset of the model could be loaded.

    A copy of the model is in memory meanwhile. It takes less than the
    optimizer's moments do later.

    Args:
        model: `keras.Model` with weights.
        schema: `FeatureSchema` that it was made for.

    Raises:
        ValueError: if a class is not registered or holds code, or a config
            makes another model.
    """
    name = type(model).__name__
    try:
        config = json.loads(json.dumps(config_of(model)))
    except (NotImplementedError, TypeError, ValueError) as error:
        raise ValueError(
            f"`model` must have a config that JSON can hold, or no preset can "
            f"be written: define `get_config` of `{name}` and its layers. "
            f"Received: {type(error).__name__}: {error}"
        ) from error
    rebuilt = restored_model(config, schema, "`model`")
    _check_same(
        "returns all arguments",
        [
            [tuple(variable.shape) for variable in m.weights]
            for m in (model, rebuilt)
        ],
        name,
    )
    _check_same(
        "keeps the dtype policy of each",
        [
            [layer.dtype_policy.name for layer in m._flatten_layers()]
            for m in (model, rebuilt)
        ],
        name,
    )


def _check_same(rule: str, facts: list[list[Any]], name: str) -> None:
    """Raises unless a model and what its config makes have the same facts."""
    expected, received = facts
    if received != expected:
        raise ValueError(
            f"`model` must be what its config makes: see that `get_config` of "
            f"`{name}` and of its layers {rule}. Received: {expected}, and "
            f"from the config {received}"
        )


def restored_model(
    config: dict[str, Any],
    schema: FeatureSchema,
    where: str,
    dtype: Any = None,
) -> keras.Model:
    """Rebuilds a model with weights that are drawn anew.

    Args:
        config: dict, what `config_of` returned.
        schema: `FeatureSchema` that the model was made for.
        where: string, how a message calls the origin of the config.
        dtype: string or `keras.DTypePolicy` for every layer. Defaults to
            `None`, the policies of the config.

    Raises:
        ValueError: if a class is not registered or holds code, or the config
            is damaged.
    """
    for each in _objects_in(config):
        _check_class(each, where)
    if dtype is not None:
        policy = keras.saving.serialize_keras_object(
            keras.dtype_policies.get(dtype)
        )
        config = _with_policy(config, policy)
    try:
        with dtype_scope(_policy_of(config)):
            model = keras.saving.deserialize_keras_object(
                config, safe_mode=True
            )
            # Layers of a subclass get their weights in the first call.
            model(_one_row(schema), training=False)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(
            f"{where}: must have a config that Keras can make a model of. "
            f"Received: {type(error).__name__}: {error}"
        ) from error
    return model


def _objects_in(config: Any) -> Iterator[dict[str, Any]]:
    """Yields the configs of all objects, the outermost first."""
    if isinstance(config, dict):
        if "class_name" in config:
            yield config
        for value in config.values():
            yield from _objects_in(value)
    elif isinstance(config, list | tuple):
        for value in config:
            yield from _objects_in(value)


def _check_class(config: dict[str, Any], where: str) -> None:
    name, module = config["class_name"], config.get("module")
    registered_name = config.get("registered_name") or name
    if name in ("__lambda__", *_LAYERS_OF_CODE):
        raise ValueError(
            f"{where}: must not hold code, for loading a preset runs none: "
            "make the `Lambda` a layer of your own or an operation of "
            f"`keras.ops`. Received: class_name={name}"
        )
    if name == "function":
        registered_name = config["config"]
    if keras.saving.get_registered_object(str(registered_name)) is not None:
        return
    package = str(module).partition(".")[0]
    # Keras' own, and what Keras writes of tensors, which has no module.
    if package in ("keras", "builtins") or str(name).startswith("__"):
        return
    raise ValueError(
        f"{where}: each class must be Keras' own or registered: "
        f"{_HOW_TO_REGISTER}Received: {registered_name}, from {module}"
    )


def _with_policy(config: Any, policy: dict[str, Any]) -> Any:
    """Returns the config with one policy in place of all."""
    if isinstance(config, list | tuple):
        return [_with_policy(value, policy) for value in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") in _POLICIES:
        return policy
    return {name: _with_policy(value, policy) for name, value in config.items()}


def _policy_of(config: dict[str, Any]) -> Any:
    """Returns the policy of the whole model, if its config has one.

    Layers that a constructor makes without a policy take it.
    """
    saved = config.get("config", {}).get("dtype")
    if isinstance(saved, dict):
        return keras.saving.deserialize_keras_object(saved)
    return saved


def _one_row(schema: FeatureSchema) -> dict[str, np.ndarray]:
    return {
        name: np.zeros((1, width), dtype)
        for name, (width, dtype) in schema.inputs().items()
    }
