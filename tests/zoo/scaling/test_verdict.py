import pytest

from zoo.scaling.progress import StudyProgress
from zoo.scaling.verdict import verdicts
from zoo.training.recipe import Recipe


def row(rule, batch_size, auc, seconds=1.0, seed=0, variant=""):
    return {
        "model": "deepfm", "rule": rule, "variant": variant,
        "embedding_batch_size": batch_size, "seed": seed, "auc": auc,
        "seconds": seconds, "best_epoch_auc": None,
    }  # fmt: skip


def test_the_largest_batch_within_a_thousandth_is_found():
    rows = [
        row("cowclip", 1024, 0.800, 80.0),
        row("cowclip", 2048, 0.7995, 40.0),
        row("cowclip", 4096, 0.7991, 20.0),
        row("cowclip", 8192, 0.7989, 10.0),
        row("linear", 1024, 0.7985, 80.0),
        row("linear", 2048, 0.7984, 40.0),
    ]
    cowclip, linear = verdicts(rows)
    assert cowclip["small_batch_auc"] == 0.8
    assert (cowclip["batch_size"], cowclip["speed_up"]) == (4096, 4.0)
    # It is measured against the best rule, not against itself.
    assert linear["batch_size"] is None


def test_means_over_seeds_decide():
    rows = [
        row("cowclip", 1024, 0.80),
        row("cowclip", 1024, 0.82, seed=1),
        row("cowclip", 2048, 0.85),
        row("cowclip", 2048, 0.78, seed=1),
    ]
    [verdict] = verdicts(rows)
    assert verdict["small_batch_auc"] == pytest.approx(0.81)
    assert verdict["batch_size"] == 2048
    assert verdict["auc"] == pytest.approx(0.815)


def test_the_best_epoch_counts_where_there_is_a_validation():
    rows = [row("cowclip", 1024, 0.80), row("cowclip", 2048, 0.80)]
    for one, auc in zip(rows, (0.82, 0.81), strict=True):
        one["best_epoch_auc"] = auc
    [verdict] = verdicts(rows)
    assert (verdict["small_batch_auc"], verdict["batch_size"]) == (0.82, 1024)


def test_a_seed_that_diverged_disqualifies():
    rows = [
        row("cowclip", 1024, 0.80),
        row("cowclip", 1024, 0.80, seed=1),
        row("cowclip", 2048, 0.90),
        row("cowclip", 2048, None, seed=1),
    ]
    assert verdicts(rows)[0]["batch_size"] == 1024


def test_variants_are_curves_of_their_own():
    rows = [row("cowclip", 1024, 0.8, variant=v) for v in ("", "no clip")]
    assert [verdict["rule"] for verdict in verdicts(rows)] == [
        "cowclip",
        "cowclip, no clip",
    ]


def test_time_left_comes_from_the_nearest_run():
    recipes = [
        Recipe(model=model, batch_size=1024 * 2**n)
        for model in ("deepfm", "dcn")
        for n in range(3)
    ]
    progress = StudyProgress(recipes, verbose=False)
    assert progress.seconds_left() == 0
    progress.end(recipes[0], 40.0)
    assert progress.seconds_left() == 5 * 40.0
    progress.end(recipes[2], 10.0)
    # 2048 is as far from 1024 as from 4096: the first one seen.
    assert progress.seconds_left() == 40.0 + 40.0 + 40.0 + 10.0
    progress.end(recipes[1], 0.0)
    assert progress.seconds_left() == 40.0 + 40.0 + 10.0
