"""Turns Scenario-Wise-Rec's networks for several domains into the zoo's."""

import numpy as np

from tests.zoo.models.golden_by_hand import by_hand


def tables(original, prefix):
    """Takes all tables but that of the domain; returns their width."""
    (domain,) = original.schema.columns_of("domain")
    parts = {
        field: original.take(f"{prefix}.embed_dict.{field}.weight", size, None)
        for field, size in original.schema.categorical.items()
        if field != domain
    }
    dim = next(iter(parts.values())).shape[1]
    original.arguments["embedding_dim"] = dim
    # The zoo's table has rows for the domain, which the network does not read.
    parts[domain] = np.zeros((original.schema.categorical[domain], dim))
    order = original.schema.categorical
    original.put(
        "embeddings/embeddings", np.concatenate([parts[name] for name in order])
    )
    return dim * (len(parts) - 1)


def experts(original, prefix, count, inputs, units):
    """The weights of experts, stacked: those of the norm, and the others."""
    norms, linear = {}, {}
    for name in ("weight", "bias", "running_mean", "running_var"):
        norms[name] = np.stack(
            [
                original.take(f"{prefix}.{i}.bn.{name}", inputs)
                for i in range(count)
            ]
        )
    linear["kernel"] = np.stack(
        [
            original.take(f"{prefix}.{i}.linear.weight", units, inputs).T
            for i in range(count)
        ]
    )
    linear["bias"] = np.stack(
        [
            original.take(f"{prefix}.{i}.linear.bias", units)
            for i in range(count)
        ]
    )
    return norms, linear


def gate(original, prefix, layer, inputs):
    """Takes a gate; returns the width of its hidden layer."""
    kernel = original.dense(f"{prefix}.0", f"{layer}_hidden", inputs)
    units = kernel.shape[1]
    original.dense(f"{prefix}.2", layer, units)
    return units


@by_hand("Scenario-Wise-Rec/EPNet")
def scenario_epnet(original):
    width = tables(original, "agn_embedding")
    (domain,) = original.schema.columns_of("domain")
    size = original.schema.categorical[domain]
    table = original.take(
        f"sce_embedding.embed_dict.{domain}.weight", size, None
    )
    original.put("domain_embeddings/embeddings", table)
    dim = table.shape[1]
    units = gate(original, "gatenu.network", "domain_gate", dim + width)
    # The original loses its hidden layers.
    original.output("mlp.mlp.0", width, "tower_1_logit")
    original.arguments.update(
        gate_priors=None,
        gate_units=units,
        domain_embedding_dim=dim,
        hidden_units=(),
    )
    return "pepnet"


@by_hand("Scenario-Wise-Rec/SARNet")
def scenario_sarnet(original):
    config, width = original.config, tables(original, "embedding")
    domains, units = range(config["domain_num"]), 16
    shared = config["domain_shared_expert_num"]
    own = config["domain_specific_expert_num"]
    for ours, theirs, shape in (
        ("scale", "domain_weight", (1, width)),
        ("shift", "domain_bias", (width,)),
    ):
        rows = [original.take(f"{theirs}.{d}", *shape) for d in domains]
        original.put(f"scale/{ours}", np.reshape(rows, (-1, width)))
    norms, dense = experts(original, "shared_expert", shared, width, units)
    for ours, theirs in (
        ("gamma", "weight"),
        ("beta", "bias"),
        ("moving_mean", "running_mean"),
        ("moving_variance", "running_var"),
    ):
        original.put(f"shared_norm/{ours}", norms[theirs].ravel())
    for name, value in dense.items():
        original.put(f"shared_experts/{name}", value)
    norms, dense = zip(
        *(
            experts(original, f"domain_specific_expert.{d}", own, width, units)
            for d in domains
        ),
        strict=True,
    )
    for ours, theirs in (
        ("domain_gamma", "weight"),
        ("domain_beta", "bias"),
        ("moving_mean", "running_mean"),
        ("moving_variance", "running_var"),
    ):
        value = np.stack([each[theirs] for each in norms])
        original.put(f"domain_norm/{ours}", value)
    # Each domain was seen.
    original.put("domain_norm/rows", np.ones(len(domains)))
    for name, value in (
        ("all_rows", np.ones(())),
        ("all_moving_mean", np.zeros((own, width))),
        ("all_moving_variance", np.ones((own, width))),
    ):
        original.put(f"domain_norm/{name}", value)
    for name in ("kernel", "bias"):
        value = np.stack([each[name] for each in dense])
        original.put(f"domain_experts/{name}", value)
    original.dense("gate_net", "gate", width, shared + own)
    hidden = (32, 32)
    original.perceptron("final_mlp.mlp", units, hidden, "logit")
    original.arguments.update(
        num_shared_experts=shared,
        num_domain_experts=own,
        expert_units=units,
        hidden_units=hidden,
        normalization="batch",
    )
    return "sarnet"
