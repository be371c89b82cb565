import csv
import json
import runpy
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import roc_auc_score

import zoo
from zoo.datasets import SYNTHETIC
from zoo.datasets import synthetic
from zoo.registry import NETWORKS

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "benchmarks" / "built_in_presets.py"
BUILT_IN = Path(zoo.__file__).parent / "presets" / "built_in"
SYNTHETIC_PRESETS = [
    f"{model}_synthetic" for model in ("dcn", "dcn_v2", "deepfm", "wide_deep")
]
GOWALLA_PRESETS = ["finalmlp_gowalla", "finalnet_gowalla"]
PRESETS = SYNTHETIC_PRESETS + GOWALLA_PRESETS


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """The test rows that the presets' cards tell of, raw, and their labels."""
    path = tmp_path_factory.mktemp("raw") / "synthetic.txt"
    synthetic.write_raw_log(path, rows=600_000, max_vocabulary=300, seed=0)
    lines = path.read_text().splitlines(keepends=True)[540_000:]
    path.write_text("".join(lines))
    labels = np.array([line[0] == "1" for line in lines])
    return path, labels


def test_there_are_no_others():
    assert sorted(PRESETS) == zoo.built_in_presets()


@pytest.mark.one_backend(reason="that backends predict alike is tested apart")
@pytest.mark.parametrize("preset", SYNTHETIC_PRESETS)
def test_a_preset_has_the_auc_of_its_card(preset, rows):
    path, labels = rows
    predictor = zoo.CTRPredictor.from_preset(preset)
    assert type(predictor.model) is NETWORKS[preset.removesuffix("_synthetic")]
    scores = predictor.predict(path)
    metadata = json.loads((BUILT_IN / preset / "metadata.json").read_text())
    assert metadata["rows"]["test"] == len(labels)
    auc = roc_auc_score(labels, scores)
    assert auc == pytest.approx(metadata["metrics"]["auc"], abs=1e-6)
    assert 0.72 < auc < metadata["bayes"]["auc"]


@pytest.mark.one_backend(reason="that backends predict alike is tested apart")
@pytest.mark.parametrize("preset", GOWALLA_PRESETS)
def test_a_preset_of_gowalla_has_the_auc_of_its_card(preset, sample):
    rows = pq.read_table(sample("gowalla") / "test.parquet")
    metadata = json.loads((BUILT_IN / preset / "metadata.json").read_text())
    scores = zoo.CTRPredictor.from_preset(preset).predict(rows)
    auc = roc_auc_score(rows["label"], scores)
    assert auc == pytest.approx(metadata["metrics"]["auc"], abs=1e-6)


@pytest.mark.parametrize("preset", GOWALLA_PRESETS)
def test_a_preset_of_gowalla_repeats_its_line_of_the_results(preset):
    with (ROOT / "docs" / "networks" / "networks.csv").open() as file:
        [line] = [
            line
            for line in csv.DictReader(file)
            if f"{line['network']}_{line['log']}" == preset
            and (line["batch"], line["seed"]) == ("64K", "0")
        ]
    metadata = json.loads((BUILT_IN / preset / "metadata.json").read_text())
    for metric in ("auc", "log_loss"):
        assert metadata["metrics"][metric] == pytest.approx(
            float(line[metric]), abs=5e-4
        )


@pytest.mark.parametrize("preset", PRESETS)
def test_the_card_is_the_one_shipped(preset):
    folder = BUILT_IN / preset
    assert str(zoo.model_card(preset)) == (folder / "README.md").read_text()


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_small(preset):
    folder = BUILT_IN / preset
    sizes = [p.stat().st_size for p in folder.rglob("*") if p.is_file()]
    limit = 8_000_000 if preset in GOWALLA_PRESETS else 900_000
    assert sum(sizes) < limit


@pytest.mark.one_backend(reason="the script, not what it trains")
def test_the_script_makes_a_preset(tmp_path):
    script = runpy.run_path(str(SCRIPT))
    log = script["prepare_log"](tmp_path, {**script["LOG"], "rows": 2_000})
    recipe = {**script["RECIPE"], "epochs": 1, "verbose": 0}
    report = script["make_preset"](log, "dcn", tmp_path / "made", recipe)
    assert report["bayes"] == log.bayes["test"]
    assert 'from_preset("made")' in (tmp_path / "made/README.md").read_text()
    predictor = zoo.CTRPredictor.from_preset(tmp_path / "made")
    assert predictor.encoder.log_format == SYNTHETIC
    assert isinstance(predictor.model, zoo.DCN)
    names = {path.name for path in (tmp_path / "made").iterdir()}
    shipped = BUILT_IN / "dcn_synthetic"
    assert names == {path.name for path in shipped.iterdir()}
