from zoo.interop.sources import fuxictr
from zoo.models import DNN


@fuxictr("DNN")
def from_fuxictr(original):
    original.embeddings()
    original.arguments.update(original.perceptron("mlp", original.width))
    return DNN
