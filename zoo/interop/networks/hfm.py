from zoo.interop.sources import fuxictr
from zoo.models import HFM

KINDS = {
    "circular_convolution": "convolution",
    "circular_correlation": "correlation",
    "hadamard_product": "hadamard",
}


@fuxictr("HFM")
def from_fuxictr(original):
    kind = original.choice("interaction_type", "circular_convolution", KINDS)
    deep = original.setting("use_dnn", True)
    original.arguments.update(interaction=KINDS[kind], deep=deep)
    dim = original.embeddings()
    original.linear("lr_layer")
    # The signs of a conjugate number, a constant.
    original.state.drop("hfm_layer.conj_sign")
    if deep:
        settings = original.perceptron(
            "dnn",
            original.pairs * dim,
            default_activation=["relu", "relu"],
        )
        original.arguments.update(settings)
    else:
        original.output("proj_h", dim, bias=False)
    return HFM
