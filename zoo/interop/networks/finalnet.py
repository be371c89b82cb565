import numpy as np

from zoo.interop.activations import activations_of
from zoo.interop.settings import dropouts_of
from zoo.interop.settings import same_or_each
from zoo.interop.sources import fuxictr
from zoo.layers.factorized_dense import RESIDUALS
from zoo.models import FinalNet


@fuxictr("FinalNet")
def from_fuxictr(original):
    blocks = original.choice("block_type", "2B", ("1B", "2B"))
    residual = original.choice("residual_type", "concat", RESIDUALS)
    gating = original.setting("use_feature_gating", False)
    normed = original.setting("batch_norm", True)
    original.embeddings()
    original.arguments.update(
        num_blocks=int(blocks[0]),
        residual=residual,
        feature_gating=gating,
        normalization="batch" if normed else None,
    )
    fields, width = original.fields, original.width
    if gating:
        original.dense("feature_gating.linear", "feature_gates", fields, fields)
    first = _take_block(original, 1, 2 * width if gating else width)
    if blocks == "1B":
        original.output("fc1", first)
        return FinalNet
    second = _take_block(original, 2, width)
    # Each block has a bias of its own, and the mean of the two no other.
    original.dense("fc1", "logit", first, 1)
    original.dense("fc2", "second_logit", second, 1)
    original.put("click/bias", np.zeros(1))
    return FinalNet


def _take_block(original, number, inputs):
    name, start = f"block{number}", "" if number == 1 else "second_"
    units, double = [], original.arguments["residual"] == "sum"
    for i in original.state.numbers(f"{name}.layer"):
        kernel = original.dense(
            f"{name}.layer.{i}.linear", f"{start}hidden_{i + 1}", inputs
        )
        inputs = kernel.shape[1] // (2 if double else 1)
        units.append(inputs)
        if original.arguments["normalization"]:
            original.batch_norm(
                f"{name}.norm.{i}", f"{start}norm_{i + 1}", inputs
            )
    original.size(f"{name}_hidden_units", units)
    setting = f"{name}_hidden_activations"
    kinds = activations_of(original.config, setting, len(units), None)
    rates = dropouts_of(original.config, f"{name}_dropout", len(units))
    original.arguments.update(
        {
            "hidden_units" if number == 1 else "second_units": tuple(units),
            f"{start}activation": same_or_each(kinds, "relu"),
            f"{start}dropout": same_or_each(rates, 0.0),
        }
    )
    return inputs
