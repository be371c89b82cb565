from zoo.interop.sources import deepctr_torch
from zoo.interop.sources import fuxictr
from zoo.models import NFM


@fuxictr("NFM")
def from_fuxictr(original):
    # Its `embedding_dropout` is applied nowhere.
    dim = original.embeddings()
    original.linear("lr_layer", bias=False)
    original.arguments.update(original.perceptron("dnn", dim))
    return NFM


@deepctr_torch("NFM", "bi_dropout")
def from_deepctr_torch(original):
    original.embeddings()
    original.linear()
    original.bias()
    columns = original.columns
    inputs = columns.embedding_dim + len(columns.dense)
    width = original.perceptron(inputs)
    original.output("dnn_linear", width, bias=False)
    original.arguments["pooled_dropout"] = original.setting("bi_dropout", 0.0)
    return NFM
