import numpy as np

from zoo.interop.sources import deepctr_torch
from zoo.interop.sources import fuxictr
from zoo.layers.bilinear_interaction import KINDS
from zoo.models import FiBiNET


@fuxictr("FiBiNET")
def from_fuxictr(original):
    kinds = [f"field_{kind}" for kind in KINDS]
    kind = original.choice("bilinear_type", "field_interaction", kinds)
    kind = kind.removeprefix("field_")
    dim = original.embeddings()
    _take_excitation(original, "senet_layer")
    sizes = {"all": (), "each": (original.fields,)}.get(kind, (original.pairs,))
    for theirs, ours in (
        ("bilinear_interaction1", "bilinear"),
        ("bilinear_interaction2", "bilinear_excited"),
    ):
        kernel = original.take(f"{theirs}.bilinear_W", *sizes, dim, dim)
        # The last field is the left one of no pair.
        kernel = kernel[:-1] if kind == "each" else kernel
        original.put(f"{ours}/kernel", kernel)
    original.linear("lr_layer", bias=False)
    activation = original.setting("excitation_activation", "ReLU").lower()
    original.arguments.update(
        original.perceptron("dnn", 2 * original.pairs * dim),
        bilinear=kind,
        excitation_activation=activation,
    )
    return FiBiNET


@deepctr_torch("FiBiNET", "bilinear_type", "reduction_ratio")
def from_deepctr_torch(original):
    kind = original.choice("bilinear_type", "interaction", KINDS)
    original.embeddings()
    original.linear()
    original.bias()
    _take_excitation(original, "SE")
    original.put("bilinear/kernel", _shared_kernel(original, kind))
    pairs = 2 * original.pairs * original.columns.embedding_dim
    width = original.perceptron(pairs + len(original.columns.dense))
    original.output("dnn_linear", width, bias=False)
    original.arguments.update(
        bilinear=kind, shared_bilinear=True, excited_first=True
    )
    return FiBiNET


def _take_excitation(original, prefix):
    fields = original.fields
    squeeze = original.take(f"{prefix}.excitation.0.weight", None, fields)
    original.put("excitation/squeeze", squeeze.T)
    excite = original.take(
        f"{prefix}.excitation.2.weight", fields, len(squeeze)
    )
    original.put("excitation/excite", excite.T)
    ratio = original.setting("reduction_ratio", 3)
    original.arguments["reduction_ratio"] = ratio


def _shared_kernel(original, kind):
    dim, prefix = original.columns.embedding_dim, "Bilinear.bilinear"
    if kind == "all":
        return original.take(f"{prefix}.weight", dim, dim).T
    count = original.fields if kind == "each" else original.pairs
    kernels = np.stack(
        [
            original.take(f"{prefix}.{i}.weight", dim, dim).T
            for i in range(count)
        ]
    )
    # The last field is the left one of no pair.
    return kernels[:-1] if kind == "each" else kernels
