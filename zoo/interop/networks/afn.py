from zoo.interop.sources import deepctr_torch
from zoo.interop.sources import fuxictr
from zoo.models import AFN


@fuxictr("AFN")
def from_fuxictr(original):
    dim, fields = original.embeddings(), original.fields
    kernel = original.dense("coefficient_W", "logarithmic", fields, bias=False)
    neurons = original.size("logarithmic_neurons", kernel.shape[1])
    original.batch_norm("log_batch_norm", "logarithmic/log_norm", fields)
    original.batch_norm("exp_batch_norm", "logarithmic/exp_norm", neurons)
    ensemble = original.setting("ensemble_dnn", True)
    original.arguments.update(
        _perceptron(original, "dense_layer", "afn", neurons * dim),
        logarithmic_neurons=neurons,
        ensemble=ensemble,
    )
    if ensemble:
        _take_ensemble(original)
    return AFN


def _take_ensemble(original):
    dim = original.arguments["embedding_dim"]
    original.embeddings("embedding_layer2", "deep_embeddings", dim)
    # Each logit is scaled, so each has a bias of its own.
    original.put("afn_logit/kernel", original.weights.pop("logit/kernel"))
    original.put("afn_logit/bias", original.weights.pop("click/bias"))
    deep = _perceptron(original, "dnn", "dnn", original.width, "deep")
    original.put("deep_logit/bias", original.weights.pop("click/bias"))
    original.arguments.update(
        deep_units=deep["hidden_units"],
        deep_activation=deep["activation"],
        deep_dropout=deep["dropout"],
    )
    original.output("fc", 2)


def _perceptron(original, prefix, start, inputs, name=None):
    return original.perceptron(
        prefix,
        inputs,
        units=f"{start}_hidden_units",
        activations=f"{start}_activations",
        dropout=f"{start}_dropout",
        default_batch_norm=True,
        outputs="logit" if name is None else f"{name}_logit",
        name=name,
    )


@deepctr_torch("AFN", "ltl_hidden_size", "afn_dnn_hidden_units")
def from_deepctr_torch(original):
    original.embeddings()
    original.linear()
    original.bias()
    dim = original.columns.embedding_dim
    kernel = original.move(
        "ltl.ltl_weights", "logarithmic/kernel", original.fields, None
    )
    neurons = original.size("ltl_hidden_size", kernel.shape[1])
    bias = original.take("ltl.ltl_biases", 1, 1, neurons)
    original.put("logarithmic/bias", bias.reshape(neurons, 1))
    for i, name in enumerate(("log_norm", "exp_norm")):
        original.batch_norm(f"ltl.bn.{i}", f"logarithmic/{name}", dim)
    _take_perceptron(original, dim, neurons)
    original.arguments.update(
        logarithmic_neurons=neurons,
        smallest=1e-7,
        normalized="elements",
        neuron_bias=True,
        linear=True,
    )
    return AFN


def _take_perceptron(original, dim, neurons):
    # DeepCTR-Torch always normalizes it, without a setting.
    original.config = {**original.config, "dnn_use_bn": True}
    width = original.perceptron(
        dim * neurons, "afn_dnn", "afn_dnn_hidden_units"
    )
    # Elements come first in DeepCTR-Torch, neurons in the zoo.
    kernel = original.weights["hidden_1/kernel"].reshape(dim, neurons, -1)
    kernel = kernel.swapaxes(0, 1).reshape(dim * neurons, -1)
    original.put("hidden_1/kernel", kernel)
    original.output("afn_dnn_linear", width)
