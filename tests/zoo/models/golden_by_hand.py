"""Turns originals into networks of the zoo that only the tests import.

Mappings like those of `zoo/interop/networks`, for torch-rechub and RecBole.
"""

from types import SimpleNamespace

import numpy as np

import zoo
from zoo.interop.original import Original
from zoo.interop.weighted_model import make_network
from zoo.registry import NETWORKS

MAPPINGS = {}


def by_hand(*names):
    def register(mapping):
        MAPPINGS.update(dict.fromkeys(names, mapping))
        return mapping

    return register


def import_by_hand(name, state, about):
    """The zoo's network of an original.

    Args:
        name: string, `"source/network"`.
        state: `StateDict` of the original.
        about: dict that describes the golden numbers.
    """
    features, config = about["features"], about["hyperparameters"]
    kinds = {each["name"]: each["type"] for each in features}
    schema = zoo.FeatureSchema(
        [each for each, kind in kinds.items() if kind == "numeric"],
        {
            each["name"]: each["vocabulary_size"]
            for each in features
            if each["type"] in ("categorical", "domain")
        },
        sequences={
            each["name"]: _sequence(each)
            for each in features
            if each["type"] == "sequence"
        },
        labels=about["labels"],
        roles={kind: each for each, kind in kinds.items() if kind == "domain"},
    )
    state.drop_integers()
    original = ByHand(state, SimpleNamespace(schema=schema), config)
    usual = [*schema.dense, *schema.categorical, *schema.sequences]
    if list(kinds) != usual:
        original.order = tuple(kinds)
    network = MAPPINGS[name](original)
    state.check_all_taken()
    return make_network(NETWORKS[network], original.arguments, original.weights)


def _sequence(feature):
    shared = feature.get("shares_embedding_of")
    size = None if shared else feature["vocabulary_size"]
    return zoo.Sequence(shared, size, max_length=feature["length"])


class ByHand(Original):
    """An original of torch-rechub or RecBole."""

    order = None

    @property
    def schema(self):
        return self.columns.schema

    def tables(self, prefix, name="embeddings"):
        """Takes tables of torch-rechub; returns the width of all vectors."""
        tables = [
            self.take(f"{prefix}.embed_dict.{field}.weight", size, None)
            for field, size in self.schema.categorical.items()
        ]
        self.put(f"{name}/embeddings", np.concatenate(tables))
        dim = tables[0].shape[1]
        if name == "embeddings":
            self.arguments["embedding_dim"] = dim
        return dim * len(tables)

    def perceptron(self, prefix, inputs, units, outputs=None, name=None):
        """Takes an MLP of torch-rechub, which always normalizes batches."""
        start = f"{name}_" if name else ""
        for i, width in enumerate(units, start=1):
            place = 4 * (i - 1)
            self.dense(f"{prefix}.{place}", f"{start}hidden_{i}", inputs, width)
            self.batch_norm(f"{prefix}.{place + 1}", f"{start}norm_{i}", width)
            inputs = width
        if outputs:
            self.output(f"{prefix}.{4 * len(units)}", inputs, outputs)
        return inputs

    def mlp(self, prefix, inputs, outputs="logit"):
        """Takes the network's own MLP and sets its arguments."""
        units = self.config["mlp_params"]["dims"]
        self.arguments.update(hidden_units=units, normalization="batch")
        return self.perceptron(f"{prefix}.mlp", inputs, units, outputs)


@by_hand("torch-rechub/DCN")
def rechub_dcn(original):
    width = original.tables("embedding")
    for i in range(original.config["n_cross_layers"]):
        layer = f"cross_{i + 1}"
        original.dense(f"cn.w.{i}", layer, width, 1, bias=False)
        original.put(f"{layer}/bias", original.take(f"cn.b.{i}", width))
    deep = original.mlp("mlp", width, outputs=None)
    original.output("linear.fc", width + deep)
    original.arguments.update(
        linear=False, num_cross_layers=original.config["n_cross_layers"]
    )
    return "dcn"


@by_hand("torch-rechub/DCNv2")
def rechub_dcn_v2(original):
    config, width = original.config, original.tables("embedding")
    experts, rank = config["num_experts"], config["low_rank"]
    for i in range(config["n_cross_layers"]):
        for ours, theirs, shape in (
            ("left_kernel", "u_list", (width, rank)),
            ("right_kernel", "v_list", (width, rank)),
            ("core_kernel", "c_list", (rank, rank)),
        ):
            kernel = original.take(f"crossnet.{theirs}.{i}", experts, *shape)
            original.put(f"cross/{ours}_{i}", kernel)
        bias = original.take(f"crossnet.bias.{i}", width, 1)
        original.put(f"cross/bias_{i}", bias[:, 0])
    gates = [
        original.take(f"crossnet.gating.{i}.weight", 1, width).T
        for i in range(experts)
    ]
    original.put("cross/gate", np.concatenate(gates, axis=1))
    deep = original.mlp("parallel_dnn", width, outputs=None)
    original.output("linear.fc", width + deep)
    original.arguments.update(
        linear=False,
        num_cross_layers=config["n_cross_layers"],
        num_experts=experts,
        low_rank=rank,
    )
    return "dcn_v2"


@by_hand("torch-rechub/FiBiNet")
def rechub_fibinet(original):
    width = original.tables("embedding")
    dim = original.arguments["embedding_dim"]
    fields = width // dim
    for ours, theirs in (("squeeze", "mlp.0"), ("excite", "mlp.2")):
        kernel = original.take(f"senet_layer.{theirs}.weight", None, None)
        original.put(f"excitation/{ours}", kernel.T)
    bilinear = "bilinear_interaction.bilinear_layer.weight"
    original.put("bilinear/kernel", original.take(bilinear, dim, dim).T)
    original.mlp("mlp", fields * (fields - 1) * dim)
    original.arguments.update(
        bilinear="all",
        reduction_ratio=original.config["reduction_ratio"],
        shared_bilinear=True,
        linear=False,
    )
    return "fibinet"


@by_hand("torch-rechub/DeepFFM", "torch-rechub/FatDeepFFM")
def rechub_deep_ffm(original):
    sizes = original.schema.categorical
    fields, rows = len(sizes), []
    pairs = fields * (fields - 1) // 2
    for place, (field, size) in enumerate(sizes.items()):
        name = f"ffm_embedding.embed_dict.{field}.weight"
        table = original.take(name, size * fields, None)
        vectors = table.reshape(size, fields, -1)
        # No field faces itself.
        rows.append(np.delete(vectors, place, axis=1).reshape(size, -1))
    dim = table.shape[1]
    original.put("embeddings/embeddings", np.concatenate(rows))
    original.tables("linear_embedding", "linear_embeddings")
    original.add_bias("b")
    original.mlp("mlp_out", pairs * dim)
    original.arguments.update(embedding_dim=dim, attention=None)
    ratio = original.config.get("reduction_ratio")
    if ratio is not None:
        original.put("scores/kernel", original.take("cen.u", pairs, dim))
        units = [pairs // ratio, pairs]
        original.perceptron("cen.mlp_att.mlp", pairs, units, name="attention")
        original.arguments.update(attention="pairs", reduction_ratio=ratio)
    return "fat_deep_ffm"


def recbole(original):
    """Takes what RecBole's networks have; returns the width of all vectors."""
    schema = original.schema
    table = original.take(
        "token_embedding_table.embedding.weight", schema.num_ids, None
    )
    original.put("embeddings/embeddings", table)
    original.arguments["embedding_dim"] = table.shape[1]
    # Each network has it, few use it.
    linear = "first_order_linear"
    for name in (
        f"{linear}.bias",
        f"{linear}.token_embedding_table.embedding.weight",
    ):
        if original.state.has(name):
            original.take(name, *original.state.shape(name))
    return schema.num_fields * table.shape[1]


def recbole_mlp(original, inputs):
    units = original.config["mlp_hidden_size"]
    original.arguments["hidden_units"] = units
    for i, width in enumerate(units):
        name = f"mlp_layers.mlp_layers.{3 * i + 1}"
        original.dense(name, f"hidden_{i + 1}", inputs, width)
        inputs = width
    original.output("predict_layer", inputs)


@by_hand("RecBole/FNN")
def recbole_fnn(original):
    recbole_mlp(original, recbole(original))
    original.arguments["activation"] = "tanh"
    return "dnn"


@by_hand("RecBole/PNN")
def recbole_pnn(original):
    config, width = original.config, recbole(original)
    dim = original.arguments["embedding_dim"]
    fields = width // dim
    pairs = fields * (fields - 1) // 2
    if config["use_outer"]:
        kernel = original.take("outer_product.kernel", dim, pairs, dim)
        original.put("outer/kernel", kernel.transpose(1, 2, 0))
    original.arguments.update(
        inner=config["use_inner"],
        outer="matrix" if config["use_outer"] else None,
    )
    recbole_mlp(
        original, width + pairs * (config["use_inner"] + config["use_outer"])
    )
    return "pnn"


@by_hand("RecBole/DAGFM")
def recbole_teacher(original):
    """The larger network that DAGFM learns from, which was recorded."""
    width, config = recbole(original), original.config
    original.arguments.update(hidden_units=(), linear=False)
    if config["teacher"] == "CrossNet":
        for i in range(config["t_depth"]):
            kernel = original.take(
                f"teacher_network.cross_layer_w.{i}", width, width
            )
            original.put(f"cross_{i + 1}/kernel", kernel.T)
            bias = original.take(f"teacher_network.bias.{i}", width, 1)
            original.put(f"cross_{i + 1}/bias", bias[:, 0])
        original.output("teacher_network.linear", width)
        original.arguments.update(
            structure="crossnet_only",
            mixture=False,
            num_cross_layers=config["t_depth"],
        )
        return "dcn_v2"
    for i, units in enumerate(config["t_cin"]):
        name = f"teacher_network.cin.{i}.conv"
        kernel = original.take(f"{name}.weight", units, None, 1)[:, :, 0]
        original.put(f"cin/kernel_{i + 1}", kernel.T)
        original.put(f"cin/bias_{i + 1}", original.take(f"{name}.bias", units))
    total = sum(config["t_cin"])
    original.put(
        "cin_logit/kernel", original.take("teacher_network.linear", total, 1)
    )
    original.put("click/bias", np.zeros(1))
    original.arguments["cin_units"] = config["t_cin"]
    return "xdeepfm"
