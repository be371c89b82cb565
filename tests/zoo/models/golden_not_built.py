"""The golden variants that the zoo has no network for, and why."""

HISTORIES = "reads histories: issue 33"
REFINER = "FuxiCTR's refiner adds 1 to the scores of what its mask should hide"
HEADS = "FuxiCTR mixes fields and heads by a reshape, which no paper has"
LABELS = "predicts several labels or serves several domains: issue 33"
LINEAR_OF_VECTORS = (
    "its linear part is linear in the embeddings; the paper's has a weight "
    "for each id"
)

# By source and network, or by source, network and variant.
NOT_BUILT = {
    **dict.fromkeys(
        (
            "FuxiCTR/BST", "FuxiCTR/DIEN", 
            "FuxiCTR/ETA", "FuxiCTR/SDIM", "FuxiCTR/SIM",
            "FuxiCTR/TWIN", "FuxiCTR/MIRRN", "FuxiCTR/TransAct",
            "FuxiCTR/LongCTR_DIEN", "FuxiCTR/LongCTR_DIN",
            "FuxiCTR/LongCTR_DCNv2", "FuxiCTR/LongCTR_FinalMLP",
            "FuxiCTR/LongCTR_TransAct", "DeepCTR-Torch/DIEN",
            "DeepCTR-Torch/DIN", "torch-rechub/BST", "torch-rechub/DIEN",
            "torch-rechub/DIN",
        ),
        HISTORIES,
    ),
    **dict.fromkeys(
        (
            "FuxiCTR/MMoE", "FuxiCTR/PLE", "FuxiCTR/ShareBottom",
            "DeepCTR-Torch/ESMM", "DeepCTR-Torch/MMOE", "DeepCTR-Torch/PLE",
            "DeepCTR-Torch/SharedBottom", "torch-rechub/AITM",
            "torch-rechub/ESMM", "torch-rechub/MMOE", "torch-rechub/PLE",
            "torch-rechub/SharedBottom", "Scenario-Wise-Rec/AdaSparse",
            "Scenario-Wise-Rec/AdaptDHM", "Scenario-Wise-Rec/EPNet",
            "Scenario-Wise-Rec/HAMUR", "Scenario-Wise-Rec/M2M",
            "Scenario-Wise-Rec/M3oE", "Scenario-Wise-Rec/MMOE",
            "Scenario-Wise-Rec/PLE", "Scenario-Wise-Rec/PPNet",
            "Scenario-Wise-Rec/SARNet", "Scenario-Wise-Rec/STAR",
            "Scenario-Wise-Rec/SharedBottom",
        ),
        LABELS,
    ),
    "torch-rechub/AFM": (
        "its attention is over one vector, so that each weight is 1; the "
        "paper's is over the pairs of fields"
    ),
    "torch-rechub/AutoInt": LINEAR_OF_VECTORS,
    "torch-rechub/DeepFM": LINEAR_OF_VECTORS,
    "torch-rechub/WideDeep": LINEAR_OF_VECTORS,
    "torch-rechub/DCNv2/parallel": (
        "its cross layer adds the bias outside of the product; the paper's "
        "does within"
    ),
    "torch-rechub/EDCN": (
        "its gates are a softmax of one number each, so that all are 1; the "
        "paper's are over the fields"
    ),
    "FuxiCTR/DMIN/base": REFINER,
    "FuxiCTR/DMIN/bn_only_once": REFINER,
    **dict.fromkeys(
        (
            "FuxiCTR/DESTINE/last_layer", "FuxiCTR/DESTINE/numeric",
            "FuxiCTR/DESTINE/relu_before",
        ),
        HEADS,
    ),
}  # fmt: skip


def why_not_built(name):
    """The fact that keeps a variant from being built, or `None`."""
    network, _, _ = name.rpartition("/")
    return NOT_BUILT.get(name) or NOT_BUILT.get(network)
