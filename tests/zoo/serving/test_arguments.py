"""Arguments of a wrong type or out of their range are refused by name."""

import pytest

import zoo
from tests.wrong_values import NO_BOOLEANS
from tests.wrong_values import NO_NUMBERS
from tests.wrong_values import NO_PATHS
from tests.wrong_values import NO_POSITIVE_INTEGERS
from tests.wrong_values import but_none
from tests.wrong_values import check_refused
from tests.wrong_values import each

NO_SHARES = but_none([*NO_NUMBERS, -0.5, 1.5])


@pytest.fixture(scope="module")
def predictor():
    return zoo.CTRPredictor.from_preset("deepfm_synthetic")


@pytest.mark.parametrize(
    "name, value",
    each({"model": ["deepfm", 3, None], "encoder": ["encoder", 3, None]}),
)
def test_predictor(predictor, name, value):
    right = {"model": predictor.model, "encoder": predictor.encoder}
    check_refused(
        name, value, lambda **wrong: zoo.CTRPredictor(**{**right, **wrong})
    )


@pytest.mark.parametrize(
    "name, value",
    each({"preset": NO_PATHS, "dtype": [3, True, "float31", [], {}]}),
)
def test_from_preset(name, value):
    def call(**wrong):
        right = {"preset": "deepfm_synthetic"}
        zoo.CTRPredictor.from_preset(**{**right, **wrong})

    check_refused(name, value, call)


@pytest.mark.parametrize(
    "name, value",
    each(dict.fromkeys(["max_rows", "batch_size"], NO_POSITIVE_INTEGERS)),
)
def test_warm_up(predictor, name, value):
    check_refused(name, value, predictor.warm_up)


@pytest.mark.parametrize(
    "name, value",
    each({"batch_size": NO_POSITIVE_INTEGERS, "max_unknown": NO_SHARES}),
)
def test_predict(predictor, name, value):
    row = dict.fromkeys(predictor.encoder.log_format.unlabeled().used)
    check_refused(
        name, value, lambda **wrong: predictor.predict([row], **wrong)
    )


@pytest.mark.parametrize(
    "name, value",
    each(
        {
            "output": [*NO_PATHS, "scores.txt"],
            "batch_size": NO_POSITIVE_INTEGERS,
            "show_progress": but_none(NO_BOOLEANS),
            "max_unknown": NO_SHARES,
        }
    ),
)
def test_predict_file(predictor, tmp_path, name, value):
    raw = tmp_path / "raw.tsv"
    raw.write_text("\t".join(["1"] * 13 + ["00000003"] * 26) + "\n")

    def call(**wrong):
        right = {"source": raw, "output": tmp_path / "scores.csv"}
        predictor.predict_file(**{**right, **wrong})

    check_refused(name, value, call)
    assert list(tmp_path.iterdir()) == [raw]
