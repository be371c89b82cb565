"""Writes plain models in the formats of export, by each backend's means."""

import contextlib
from pathlib import Path
from typing import Any

import keras

from zoo.feature_schema import FeatureSchema
from zoo.serving.signature_names import name_inputs
from zoo.serving.torch_exporter import torch_symbols


def write_model(
    model: keras.Model, schema: FeatureSchema, path: Path, format: str
) -> None:
    """Writes a model that takes encoded rows.

    Args:
        model: `keras.Model` that `make_plain` returned, which may be changed.
        schema: `FeatureSchema` of the model.
        path: path of the file or folder to write.
        format: string, one that this backend can write.
    """
    if format == "openvino":
        # Two files, which only a folder keeps together.
        path.mkdir()
        path = path / "model.xml"
    backend = keras.backend.backend()
    if (format, backend) == ("tf_saved_model", "tensorflow"):
        _save_with_tensorflow(model, schema, path)
        return
    if (format, backend) == ("torch", "torch"):
        _drop_second_copy(model)
    names = {name: name for name in schema.inputs()}
    if format == "tf_saved_model":
        names = name_inputs(names)
    needs_symbols = backend == "torch" and format in ("onnx", "openvino")
    with torch_symbols() if needs_symbols else contextlib.nullcontext():
        model.export(
            str(path),
            format=format,
            verbose=False,
            input_signature=[
                {
                    name: keras.InputSpec(
                        dtype, (None, columns), name=names[name]
                    )
                    for name, (columns, dtype) in schema.inputs().items()
                }
            ],
            **_options(format, schema),
        )
    if (format, backend) == ("onnx", "jax"):
        _join_files(path)


def _save_with_tensorflow(
    model: keras.Model, schema: FeatureSchema, path: Path
) -> None:
    """Writes every weight once, where `model.export` writes it twice."""
    import tensorflow as tf

    names = name_inputs(schema.inputs())
    inputs = {
        name: tf.TensorSpec((None, columns), dtype, name=names[name])
        for name, (columns, dtype) in schema.inputs().items()
    }
    served = tf.Module()
    served.weights = [variable.value for variable in model.variables]
    served.serve = tf.function(
        lambda inputs: model(inputs, training=False),
        input_signature=[inputs],
        autograph=False,
    )
    signature = served.serve.get_concrete_function()
    tf.saved_model.save(
        served,
        str(path),
        signatures={"serve": signature, "serving_default": signature},
    )


def _drop_second_copy(model: keras.Model) -> None:
    """Removes the parameters of the modules, which no operation reads.

    `torch.export` would write them beside the tensors that the layers read.
    """
    import torch

    for module in list(model.modules()):
        if isinstance(module, keras.layers.Layer):
            module._torch_params = torch.nn.ParameterDict()


def _join_files(path: Path) -> None:
    """Moves large tables into the file; jax2onnx writes them beside it."""
    import onnx

    joined = onnx.load(path)
    path.unlink()
    onnx.save_model(joined, path, save_as_external_data=False)


def _options(format: str, schema: FeatureSchema) -> dict[str, Any]:
    if format == "torch":
        import torch

        rows = {0: torch.export.Dim("batch")}
        return {"dynamic_shapes": [(dict.fromkeys(schema.inputs(), rows),)]}
    if format == "tf_saved_model" and keras.backend.backend() == "jax":
        # The default is a file for this kind of device alone.
        platforms = ("cpu", "cuda", "tpu")
        return {"jax2tf_kwargs": {"native_serialization_platforms": platforms}}
    return {}
