import json
from pathlib import Path

import keras
import numpy as np
import pytest

import zoo

FOLDER = Path(__file__).parent / "written_before"
EXPECTED = json.loads((FOLDER / "expected.json").read_text())
NETWORKS = sorted(EXPECTED["logits"])


def test_an_encoded_log_has_the_same_rows():
    log = zoo.EncodedLog.load(FOLDER / "encoded")
    assert {*log.splits} == {*EXPECTED["splits"]}
    for name, expected in EXPECTED["splits"].items():
        split = log.split(name)
        inputs, labels = split.read(0, len(split))
        assert len(split) == expected["rows"]
        np.testing.assert_array_equal(inputs["dense"], expected["dense"])
        np.testing.assert_array_equal(inputs["ids"], expected["ids"])
        np.testing.assert_array_equal(labels, expected["labels"])


def test_the_raw_log_still_gets_the_same_ids(tmp_path):
    log_format = zoo.EncodedLog.load(FOLDER / "encoded").encoder.log_format
    zoo.prepare(
        log_format,
        FOLDER / "clicks.csv",
        tmp_path / "encoded",
        dense_transform="none",
        show_progress=False,
    )
    log = zoo.EncodedLog.load(tmp_path / "encoded")
    for name, expected in EXPECTED["splits"].items():
        inputs, _ = log.split(name).read(0, expected["rows"])
        np.testing.assert_array_equal(inputs["ids"], expected["ids"])


@pytest.mark.parametrize("name", NETWORKS)
def test_a_preset_predicts_the_same(name):
    model = zoo.from_preset(FOLDER / "presets" / name)
    inputs = {
        key: np.array(EXPECTED["splits"]["test"][key], dtype)
        for key, dtype in (("dense", "float32"), ("ids", "int32"))
    }
    # Sums of these weights are exact, see the README beside them.
    logits = keras.Model(model.inputs, model.get_layer("logits").output)
    np.testing.assert_array_equal(
        logits.predict(inputs, verbose=0)[:, 0], EXPECTED["logits"][name]
    )
    # Backends and processors round the exponential differently.
    np.testing.assert_allclose(
        model.predict(inputs, verbose=0)[:, 0],
        EXPECTED["probabilities"][name],
        rtol=1e-6,
    )


@pytest.mark.parametrize("name", NETWORKS)
def test_a_preset_still_reads_raw_rows(name):
    predictor = zoo.CTRPredictor.from_preset(FOLDER / "presets" / name)
    rows = [
        {"price": "3", "age": "1", "site": s, "hour": "01", "device": "Gerät"}
        for s in ("site1", "site never seen")
    ]
    assert predictor.predict(rows).shape == (2,)
