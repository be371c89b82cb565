"""Maps FuxiCTR's networks for long histories, see `zoo.interop.long_histories`.

All have `original_masks`: their masks are not those of the papers.
"""

import numpy as np

from zoo.interop.fuxictr_original import FuxiCTR
from zoo.interop.long_histories import read_long_network
from zoo.interop.long_histories import take_attention
from zoo.interop.settings import check_setting
from zoo.interop.sources import fuxictr
from zoo.models import ETA
from zoo.models import MIRRN
from zoo.models import SDIM
from zoo.models import SIM
from zoo.models import TWIN


@fuxictr("TWIN")
def from_twin(original):
    check_setting(original.config, "Kc_cross_features", 0, 0)
    _take_search(original, key="W_h")
    return TWIN


@fuxictr("SIM")
def from_sim(original):
    check_setting(original.config, "gsu_type", "soft", "soft")
    width = _take_search(original)
    units = original.arguments["attention_units"]
    for ours, theirs in (("query", "W_a"), ("key", "W_b")):
        kernel = original.take(f"{theirs}.weight", units, width)
        original.put(f"search_1/{ours}_kernel", kernel.T)
    original.tower(
        "dnn_aux",
        original.width,
        "search_logit",
        activations="dnn_activations",
        name="search",
    )
    original.arguments.update(
        search_loss=float(original.setting("alpha", 1)),
        click_loss=float(original.setting("beta", 1)),
    )
    return SIM


@fuxictr("ETA")
def from_eta(original):
    width = _take_search(original)
    _read_scale(original)
    directions = original.take("random_rotations", 1, width, None)[0]
    _take_hash(original, "hash_1", directions, directions.shape[1])
    return ETA


@fuxictr("SDIM")
def from_sdim(original):
    width = read_long_network(original)
    projected = original.setting("use_qkvo", True)
    if projected:
        take_attention(original, "short_attention", "recent_1", width)
    _read_scale(original)
    directions = original.take("random_rotations", 1, width, None, None)
    _, _, hashes, bits = directions.shape
    original.size("num_hashes", hashes)
    directions = directions.reshape(width, hashes * bits)
    _take_hash(original, "found_1/hash", directions, bits)
    # Powers of 2, which turn bits into the number of a bucket.
    original.state.drop("powers_of_two")
    original.arguments.update(
        num_hashes=hashes,
        projected=projected,
        normalized=original.setting("l2_norm", False),
    )
    if not projected:
        # Not used without projections, but the heads must divide it.
        original.arguments["attention_units"] = width
    return SDIM


@fuxictr("MIRRN")
def from_mirrn(original):
    places = original.state.shape("pos.weight")[0]
    length = original.size("max_len", places - 1)
    width = _take_search(original, length)
    _read_scale(original)
    directions = original.take("random_rotations", width, None)
    _take_hash(original, "hash_1", directions, directions.shape[1])
    # No event is 0 places before the target, so the first row has no use.
    original.put(
        "places_1/embeddings", original.take("pos.weight", None, width)[1:]
    )
    _take_filters(original, width)
    return MIRRN


def _take_search(
    original: FuxiCTR, length: int | None = None, key: str = "W_k"
) -> int:
    """Takes what all but SDIM share: attentions to recent and found events.

    Args:
        original: `FuxiCTR`.
        length: as `read_long_network` takes it.
        key: string, what the original calls the keys' projection of the
            attention to found events.

    Returns:
        The length of an item's vector.
    """
    width = read_long_network(original, length)
    take_attention(original, "short_attention", "recent_1", width)
    take_attention(original, "long_attention", "found_1", width, key)
    original.arguments["found_length"] = original.setting("topk", 50)
    return width


def _read_scale(original: FuxiCTR) -> None:
    original.arguments["scaled"] = original.setting("use_scale", True)


def _take_hash(
    original: FuxiCTR, layer: str, directions: np.ndarray, bits: int
) -> None:
    # With `reuse_hash=False` FuxiCTR draws directions for each batch.
    check_setting(original.config, "reuse_hash", True, True)
    original.put(f"{layer}/directions", directions)
    original.arguments["hash_bits"] = original.size("hash_bits", bits)


def _take_filters(original: FuxiCTR, width: int) -> None:
    """Takes three filters, whose matrices count by their diagonals alone."""
    prefixes = [f"MHFT_block.{i}" for i in range(3)]
    blocks, size = 4, width // 4
    diagonals = np.stack(
        [
            np.diagonal(
                original.take(f"{each}.complex_weight", blocks, size, size, 2),
                axis1=1,
                axis2=2,
            )
            for each in prefixes
        ]
    )
    # (filter, block, part, number) becomes (filter, number of the vector, part)
    factors = diagonals.transpose(0, 1, 3, 2).reshape(3, width, 1, 1, 2)
    original.put("filter_1/real", factors[..., 0])
    original.put("filter_1/imaginary", factors[..., 1])
    for ours, theirs in (("gamma", "weight"), ("beta", "bias")):
        vectors = [
            original.take(f"{each}.LayerNorm.{theirs}", width)[None]
            for each in prefixes
        ]
        original.put(f"filter_1/{ours}", np.stack(vectors))
    original.arguments["filter_blocks"] = width
