"""Opens exported models in their own runtimes.

Each function returns a function from inputs to a list, one array for each
label.
"""

import numpy as np
from keras import tree

from zoo.serving.signature_names import name_inputs


def open_saved_model(path):
    import tensorflow as tf

    loaded = tf.saved_model.load(path)
    signature = loaded.signatures["serving_default"]

    def predict(inputs):
        inputs = {name: tf.constant(array) for name, array in inputs.items()}
        served = [each.numpy() for each in tree.flatten(loaded.serve(inputs))]
        names = name_inputs(inputs)
        by_name = signature(**{names[n]: x for n, x in inputs.items()})
        for received, expected in zip(numbered(by_name), served, strict=True):
            np.testing.assert_array_equal(received, expected)
        return served

    return predict


def open_onnx(path):
    import onnxruntime

    session = onnxruntime.InferenceSession(path)
    return lambda inputs: session.run(None, inputs)


def open_torch(path):
    import torch

    module = torch.export.load(path).module()

    def predict(inputs):
        inputs = {name: torch.tensor(array) for name, array in inputs.items()}
        return [each.detach().numpy() for each in tree.flatten(module(inputs))]

    return predict


def open_openvino(path):
    import openvino

    compiled = openvino.Core().compile_model(
        path / "model.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    places = range(len(compiled.outputs))
    return lambda inputs: [compiled(inputs)[i] for i in places]


def open_litert(path):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path))
    runner = interpreter.get_signature_runner()
    return lambda inputs: numbered(runner(**inputs))


def numbered(outputs):
    return [outputs[f"output_{i}"] for i in range(len(outputs))]


OPEN = {
    "tf_saved_model": open_saved_model,
    "onnx": open_onnx,
    "torch": open_torch,
    "openvino": open_openvino,
    "litert": open_litert,
}
