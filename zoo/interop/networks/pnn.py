from zoo.interop.settings import check_setting
from zoo.interop.sources import deepctr_torch
from zoo.interop.sources import fuxictr
from zoo.models import PNN

# DeepCTR-Torch's names of the kernels, and the zoo's.
KERNELS = {"mat": "matrix", "vec": "vector", "num": "scalar"}


@fuxictr("PNN")
def from_fuxictr(original):
    check_setting(original.config, "product_type", "inner", "inner")
    original.embeddings()
    original.arguments.update(
        original.perceptron("dnn", original.width + original.pairs)
    )
    return PNN


@deepctr_torch("PNN", "use_inner", "use_outter", "kernel_type")
def from_deepctr_torch(original):
    original.embeddings()
    original.bias()
    inner = original.setting("use_inner", True)
    outer = original.setting("use_outter", False)
    kind = original.choice("kernel_type", "mat", KERNELS)
    if outer:
        _take_kernel(original, kind)
    original.arguments.update(
        inner=bool(inner), outer=KERNELS[kind] if outer else None
    )
    products = (bool(inner) + bool(outer)) * original.pairs
    width = original.perceptron(original.width + products)
    original.output("dnn_linear", width, bias=False)
    return PNN


def _take_kernel(original, kind):
    dim, pairs = original.columns.embedding_dim, original.pairs
    shape = {"mat": (dim, pairs, dim), "vec": (pairs, dim), "num": (pairs, 1)}
    kernel = original.take("outterproduct.kernel", *shape[kind])
    if kind == "mat":
        # Its first axis belongs to the second field of a pair.
        kernel = kernel.transpose(1, 2, 0)
    original.put("outer/kernel", kernel)
