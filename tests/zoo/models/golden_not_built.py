"""The golden variants that the zoo has no network for, and why."""

HISTORIES = "reads histories: issue 33"
HEADS = "FuxiCTR mixes fields and heads by a reshape, which no paper has"
LABELS = "predicts several labels or serves several domains: issue 33"
OTHER_DOMAINS = (
    "the zoo does not have it: for several domains it has STAR, PEPNet and "
    "SAR-Net"
)
LINEAR_OF_VECTORS = (
    "its linear part is linear in the embeddings; the paper's has a weight "
    "for each id"
)

# By source and network, or by source, network and variant.
NOT_BUILT = {
    **dict.fromkeys(
        (
            "FuxiCTR/BST", "FuxiCTR/DIEN", "FuxiCTR/DMIN",
            "FuxiCTR/DMR", "FuxiCTR/ETA", "FuxiCTR/SDIM", "FuxiCTR/SIM",
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
            "torch-rechub/SharedBottom", "Scenario-Wise-Rec/MMOE",
            "Scenario-Wise-Rec/PLE", "Scenario-Wise-Rec/SharedBottom",
        ),
        LABELS,
    ),
    "Scenario-Wise-Rec/STAR": (
        "it normalizes by the batch even when it predicts, all domains "
        "together, and cuts the logit at 0; the paper's does neither"
    ),
    "Scenario-Wise-Rec/PPNet": (
        "its perceptrons, one a domain, read what the gates read, without a "
        "gradient for most fields; the paper's read the embeddings"
    ),
    "Scenario-Wise-Rec/AdaSparse": (
        f"{OTHER_DOMAINS}; its factors below the threshold turn negative, "
        "those of the paper 0"
    ),
    "Scenario-Wise-Rec/AdaptDHM": (
        f"{OTHER_DOMAINS}; it does not use its biases"
    ),
    "Scenario-Wise-Rec/HAMUR": (
        f"{OTHER_DOMAINS}; it normalizes by the batch even when it predicts"
    ),
    "Scenario-Wise-Rec/M2M": (
        f"{OTHER_DOMAINS}; its attention is over the rows of a batch, so that "
        "a prediction depends on the other rows"
    ),
    "Scenario-Wise-Rec/M3oE": OTHER_DOMAINS,
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
