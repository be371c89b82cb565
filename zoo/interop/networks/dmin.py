import numpy as np

from zoo.interop.histories import read_histories
from zoo.interop.histories import read_negatives
from zoo.interop.networks.din import DEFAULT_HISTORIES
from zoo.interop.settings import check_setting
from zoo.interop.sources import fuxictr
from zoo.models import DMIN


@fuxictr("DMIN")
def from_fuxictr(original):
    # The refiner of the original lets events see what its mask should hide,
    # and its loss of the next event does not run.
    check_setting(original.config, "use_behavior_refiner", False, True)
    check_setting(original.config, "aux_loss_lambda", 0, 0)
    dim = original.embeddings("")
    histories = read_histories(
        original, "sequence_field", "target_field", DEFAULT_HISTORIES
    )
    heads = original.setting("num_heads", 4)
    sum_pooling = original.setting("enable_sum_pooling", False)
    negatives = read_negatives(original)
    inputs = original.width - dim * (sum(map(len, histories)) + negatives)
    for i, names in enumerate(histories, start=1):
        width = dim * len(names)
        inputs += (heads + 2 * sum_pooling) * width
        _take_extractor(original, i, width, heads)
        _take_attention(original, i, width, heads)
    original.dnn_normed_once(inputs, default_activation="Dice")
    original.arguments.update(
        num_heads=heads,
        refiner=False,
        sum_pooling=sum_pooling,
        attended_dropout=original.setting("net_dropout", 0),
    )
    return DMIN


def _take_extractor(original, number, width, heads):
    path, name = (
        f"multi_interest_extractor.{number - 1}",
        f"extractor_{number}",
    )

    def put(ours, theirs, *shape, transposed=False):
        each = [
            original.take(f"{path}.{theirs.format(head)}", *shape)
            for head in range(heads)
        ]
        if transposed:
            each = [kernel.T for kernel in each]
        original.put(f"{name}/{ours}", np.stack(each))

    kernel = original.take(f"{path}.W_qkv.weight", 3 * width, width)
    original.put(f"{name}/projection_kernel", kernel.T[np.newaxis])
    size = width // heads
    put("heads_kernel", "W_o.{}.weight", width, size, transposed=True)
    original.arguments["layer_norm"] = original.setting("layer_norm", True)
    if original.arguments["layer_norm"]:
        put("gamma", "layer_norm.{}.weight", width)
        put("beta", "layer_norm.{}.bias", width)
    for layer, place, sizes in (
        ("hidden", 0, (2 * width, width)),
        ("last", 2, (width, 2 * width)),
    ):
        ffn = f"ffn.{{}}.{place}"
        put(f"{layer}_kernel", f"{ffn}.weight", *sizes, transposed=True)
        put(f"{layer}_bias", f"{ffn}.bias", sizes[0])


def _take_attention(original, number, width, heads):
    """Takes the attention of each head, and stacks their weights."""
    parts = []
    for head in range(heads):
        # Each head is taken alone, under the same names.
        before, original.weights = original.weights, {}
        path = f"multi_interest_extractor.{number - 1}.target_attention.{head}"
        if original.setting("use_pos_emb", True):
            vectors = original.move(
                f"{path}.pos_emb", f"positions_{number}/vectors", None, None
            )
            position_dim = original.size("pos_emb_dim", vectors.shape[1])
            original.arguments["position_dim"] = position_dim
            inputs = width + position_dim
            original.dense(f"{path}.W_proj", f"query_{number}", inputs, width)
        hidden = original.tower(
            f"{path}.attn_mlp",
            4 * width,
            f"attention_{number}_score",
            activations="attention_activation",
            dropout="attention_dropout",
            batch_norm=False,
            name=f"attention_{number}",
        )
        # A bias of all scores does not change the softmax.
        original.weights.pop(f"attention_{number}_score/bias")
        parts.append(original.weights)
        original.weights = before
    for variable in parts[0]:
        each = [part[variable] for part in parts]
        layer = variable.split("/")[0]
        if "activation" in layer or layer.startswith("positions"):
            original.put(variable, np.concatenate(each, axis=-1))
        else:
            original.put(variable, np.stack(each))
    original.arguments.update(
        attention_units=hidden["hidden_units"],
        attention_activation=hidden["activation"],
        attention_dropout=original.setting("attention_dropout", 0),
        positions=original.setting("use_pos_emb", True),
    )
