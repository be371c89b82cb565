import numpy as np

from zoo.interop.histories import read_histories
from zoo.interop.histories import read_named_histories
from zoo.interop.histories import read_negatives
from zoo.interop.long_histories import read_long_history
from zoo.interop.networks.din import DEFAULT_HISTORIES
from zoo.interop.networks.din import take_local_attention
from zoo.interop.settings import check_setting
from zoo.interop.sources import deepctr_torch
from zoo.interop.sources import fuxictr
from zoo.models import DIEN

ATTENTIONS = {
    "bilinear_attention": "bilinear",
    "dot_attention": "dot",
    "din_attention": "mlp",
}
GRU_TYPES = {
    "GRU": "GRU_attention",
    "AIGRU": "AIGRU",
    "AGRU": "AGRU",
    "AUGRU": "AUGRU",
}


@fuxictr("DIEN")
def from_fuxictr(original):
    return _take(original, "")


@fuxictr("LongCTR_DIEN")
def from_longctr(original):
    targets = read_long_history(original)
    original.config = {
        **original.config,
        "dien_sequence_field": [tuple(targets)],
        "dien_target_field": [tuple(targets.values())],
        "dien_neg_seq_field": [],
    }
    _take(original, "embedding_layer")
    # In LongCTR the states and sums come after the fields.
    layer = "hidden_1" if original.arguments["hidden_units"] else "logit"
    states = 3 if original.arguments["sum_pooling"] else 1
    width = states * len(targets) * original.arguments["embedding_dim"]
    kernel = original.weights[f"{layer}/kernel"]
    original.put(f"{layer}/kernel", np.roll(kernel, width, axis=0))
    return DIEN


def _take(original, embeddings):
    """Takes a DIEN, whose tables have the name `embeddings`."""
    # The original can neither run with AIGRU nor train with this loss.
    gru_type = original.choice("gru_type", "AUGRU", ("GRU", "AGRU", "AUGRU"))
    check_setting(original.config, "aux_loss_alpha", 0, 0)
    kind = original.choice("attention_type", "bilinear_attention", ATTENTIONS)
    sum_pooling = original.setting("enable_sum_pooling", False)
    original.arguments.update(
        gru_type=gru_type,
        attention=ATTENTIONS[kind],
        softmax=original.setting("use_attention_softmax", True),
        sum_pooling=sum_pooling,
    )
    dim = original.embeddings(embeddings)
    histories = read_histories(
        original, "dien_sequence_field", "dien_target_field", DEFAULT_HISTORIES
    )
    for i, names in enumerate(histories):
        width = dim * len(names)
        take_gru(original, f"extraction_modules.{i}", f"interests_{i + 1}")
        evolving, layer = f"evolving_modules.{i}", f"evolution_{i + 1}"
        if gru_type == "GRU":
            take_gru(original, evolving, layer)
            continue
        _take_cell(original, f"{evolving}.gru_cell", layer, width)
        _take_attention(original, f"attention_modules.{i}", i + 1, width)
    pooled = sum(map(len, histories))
    fields = original.fields - pooled
    fields -= read_negatives(original, "dien_neg_seq_field")
    fields += pooled * (3 if sum_pooling else 1)
    original.dnn(fields * dim, default_batch_norm=True)
    return DIEN


def _take_attention(original, prefix, i, width):
    kind = original.arguments["attention"]
    if kind == "bilinear":
        kernel = f"attention_{i}/kernel"
        original.move(f"{prefix}.W_kernel", kernel, width, width)
    elif kind == "mlp":
        hidden = original.tower(
            f"{prefix}.attn_mlp",
            4 * width,
            f"attention_{i}_score",
            activations="attention_activation",
            default_activation="Dice",
            dropout="attention_dropout",
            batch_norm=False,
            name=f"attention_{i}",
        )
        original.arguments.update(
            attention_units=hidden["hidden_units"],
            attention_activation=hidden["activation"],
            attention_dropout=hidden["dropout"],
        )


def _take_cell(original, prefix, layer, width):
    """Takes FuxiCTR's `AUGRUCell` or `AGRUCell`, update, reset and new."""
    for kernel, bias, name in (
        ("kernel", "bias", "x2h"),
        ("recurrent_kernel", "recurrent_bias", "h2h"),
    ):
        weight = original.take(f"{prefix}.{name}.weight", 3 * width, width)
        added = original.take(f"{prefix}.{name}.bias", 3 * width)
        # The update gate of an AGRU is there, and is not used.
        first = width if original.arguments["gru_type"] == "AGRU" else 0
        original.put(f"{layer}/{kernel}", weight[first:].T)
        original.put(f"{layer}/{bias}", added[first:])


def take_gru(original, prefix, layer, end="_l0", keeps=True, update=True):
    """Takes a GRU with PyTorch's gates, reset, update and new.

    Args:
        original: `Original`.
        prefix, layer: strings, what the original and the zoo call it.
        end: string, with which the names of its weights end.
        keeps: boolean, whether the gate is the share of what is kept, as in
            PyTorch, and not that of what is new.
        update: boolean, whether the zoo's has that gate.
    """
    sign = -1 if keeps else 1
    for ours, theirs in (
        ("kernel", "weight_ih"),
        ("recurrent_kernel", "weight_hh"),
        ("bias", "bias_ih"),
        ("recurrent_bias", "bias_hh"),
    ):
        name = f"{prefix}.{theirs}{end}"
        tensor = original.take(name, *original.state.shape(name))
        reset, gate, new = np.split(tensor, 3)
        gates = [sign * gate, reset, new] if update else [reset, new]
        original.put(f"{layer}/{ours}", np.concatenate(gates).T)


@deepctr_torch(
    "DIEN",
    "history_feature_list",
    "gru_type",
    "use_negsampling",
    "alpha",
    "use_bn",
    "att_hidden_units",
    "att_activation",
    "att_weight_normalization",
)
def from_deepctr_torch(original):
    columns = original.columns
    gru_type = original.choice("gru_type", "GRU", GRU_TYPES)
    original.embeddings()
    history, others = read_named_histories(original, "history_feature_list")
    _take_negatives(original, history, others)
    width = len(history) * columns.embedding_dim
    take_gru(original, "interest_extractor.gru", "interests_1")
    evolving = "interest_evolution.interest_evolution"
    if gru_type in ("GRU", "AIGRU"):
        take_gru(original, evolving, "evolution_1")
    else:
        take_gru(
            original,
            f"{evolving}.rnn",
            "evolution_1",
            end="",
            keeps=False,
            update=gru_type == "AUGRU",
        )
    hidden = take_local_attention(
        original,
        "interest_evolution.attention.local_att",
        width,
        "attention_1",
        units="att_hidden_units",
        default_activation="relu",
    )
    original.arguments.update(
        gru_type=GRU_TYPES[gru_type],
        attention="mlp",
        attention_units=hidden["hidden_units"],
        attention_activation=hidden["activation"],
        softmax=original.setting("att_weight_normalization", True),
    )
    fields = len(columns.categorical) * columns.embedding_dim
    fields += len(columns.dense)
    last = original.perceptron(width + fields, batch_norm="use_bn")
    original.output("linear", last, bias=False)
    original.bias()
    return DIEN


def _take_negatives(original, history, others):
    """Reads the sequences that only train, and takes what they train."""
    negatives = tuple(n for n in others if n.removeprefix("neg_") in history)
    if len(others) > len(negatives):
        raise ValueError(
            "`features` must have no list but the histories, and their "
            "negatives: the original looks at no other. "
            f"Received: {sorted(set(others) - set(negatives))}"
        )
    if negatives:
        original.arguments["negatives"] = (negatives,)
    if not original.setting("use_negsampling", False):
        return
    prefix = "interest_extractor.auxiliary_net.linears"
    *numbers, last = original.state.numbers(prefix)
    kernels = [
        original.dense(f"{prefix}.{i}", f"auxiliary_1_hidden_{i + 1}")
        for i in numbers
    ]
    original.dense(f"{prefix}.{last}", "auxiliary_1_score", units=1)
    original.arguments.update(
        auxiliary_units=tuple(kernel.shape[1] for kernel in kernels),
        auxiliary_activation="sigmoid",
        # The mean over clicks and negatives is half of the zoo's sum.
        auxiliary_weight=original.setting("alpha", 1.0) / 2,
    )
