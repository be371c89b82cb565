from zoo.interop.histories import read_histories
from zoo.interop.histories import read_negatives
from zoo.interop.networks.din import DEFAULT_HISTORIES
from zoo.interop.sources import fuxictr
from zoo.models import DMR


@fuxictr("DMR")
def from_fuxictr(original):
    dim = original.embeddings("")
    histories = read_histories(
        original, "sequence_field", "target_field", DEFAULT_HISTORIES
    )
    negatives = read_negatives(original)
    _check_context(original.setting("context_field", "btag"))
    user_to_item = original.setting("enable_u2i_rel", True)
    item_to_item = original.setting("enable_i2i_rel", False)
    sum_pooling = original.setting("enable_sum_pooling", False)
    _take_second_table(original, dim, user_to_item)
    inputs = original.width - dim * (sum(map(len, histories)) + negatives)
    original.arguments["positions"] = original.setting("use_pos_emb", True)
    for i, names in enumerate(histories, start=1):
        width = dim * len(names)
        inputs += width + item_to_item + user_to_item + 2 * width * sum_pooling
        positions = original.arguments["positions"]
        _take_attention(original, "i2i", "item", i, width, width, positions)
        if user_to_item:
            _take_attention(original, "u2i", "user", i, 0, width, True)
            path = f"u2i_net.{i - 1}.W_o.0"
            original.dense(path, f"user_state_{i}", width, width)
    original.dnn_normed_once(inputs)
    original.arguments.update(
        user_to_item=user_to_item,
        item_to_item=item_to_item,
        sum_pooling=sum_pooling,
        auxiliary_weight=original.setting("aux_loss_beta", 0),
    )
    return DMR


def _take_attention(original, kind, name, number, context, width, positions):
    path = f"{kind}_net.{number - 1}"
    if positions:
        vectors = original.move(
            f"{path}.pos_emb", f"{name}_positions_{number}/vectors", None, None
        )
        context += original.size("pos_emb_dim", vectors.shape[1])
        original.arguments["position_dim"] = vectors.shape[1]
    original.dense(f"{path}.W_q.0", f"{name}_query_{number}", context, width)
    hidden = original.tower(
        f"{path}.attn_mlp",
        4 * width,
        f"{name}_attention_{number}_score",
        activations="attention_activation",
        dropout="attention_dropout",
        batch_norm=False,
        name=f"{name}_attention_{number}",
    )
    if name == "user" or not original.setting("enable_i2i_rel", False):
        # A bias of all scores does not change the softmax.
        original.weights.pop(f"{name}_attention_{number}_score/bias")
    original.arguments.update(
        attention_units=hidden["hidden_units"],
        attention_activation=hidden["activation"],
        attention_dropout=hidden["dropout"],
    )


def _take_second_table(original, dim, used):
    targets = original.arguments["targets"]
    fields = list(dict.fromkeys(name for names in targets for name in names))
    if used:
        prefix = "output_emb_layer.{}"
        original.selected(fields, prefix, "output_embeddings", dim)
        return
    # FuxiCTR makes the table, but does not read it.
    for field in fields:
        size = original.columns.categorical[field]
        original.take(f"output_emb_layer.{field}.weight", size, dim)


def _check_context(context):
    if context:
        raise ValueError(
            "`config['context_field']` must be None, with which alone "
            "FuxiCTR's DMR runs; it is 'btag' where it is left out. "
            f"Received: config['context_field']={context!r}"
        )
