"""The golden variants that the zoo has no network for, and why."""

REFINER = "FuxiCTR's refiner adds 1 to the scores of what its mask should hide"
HEADS = "FuxiCTR mixes fields and heads by a reshape, which no paper has"
DOMAIN_TOWERS = "its towers are of domains; the zoo's are of labels"
OTHER_DOMAINS = (
    "the zoo does not have it: for several domains it has STAR, PEPNet and "
    "SAR-Net"
)
LINEAR_OF_VECTORS = (
    "its linear part is linear in the embeddings; the paper's has a weight "
    "for each id"
)

ROWWISE_DICE = (
    "its Dice normalizes the units of each row, by the sum of their squares; "
    "the paper's normalizes each unit over the batch"
)

# By source and network, or by source, network and variant.
NOT_BUILT = {
    **dict.fromkeys(
        (
            "Scenario-Wise-Rec/MMOE", "Scenario-Wise-Rec/PLE",
            "Scenario-Wise-Rec/SharedBottom",
        ),
        DOMAIN_TOWERS,
    ),
    "DeepCTR-Torch/DIN/softmax": (
        "in a row without events its weights are those of the padding, whose "
        "vectors are those of id 0; the zoo's interest is zero there"
    ),
    "torch-rechub/DIEN": ROWWISE_DICE,
    "torch-rechub/DIN": ROWWISE_DICE,
    "torch-rechub/ESMM": (
        "its recorded loss has a third part, that of conversions of clicks; "
        "`test_esmm.py` compares the two outputs that ours has"
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
