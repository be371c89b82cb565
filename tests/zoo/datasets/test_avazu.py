import pytest

from zoo.datasets import AVAZU
from zoo.datasets import AVAZU_X1
from zoo.datasets import AVAZU_X4
from zoo.datasets import RAW_LOGS
from zoo.datasets import load_avazu

HEADER = (
    "id,click,hour,C1,banner_pos,site_id,site_domain,site_category,app_id,"
    "app_domain,app_category,device_id,device_ip,device_model,device_type,"
    "device_conn_type,C14,C15,C16,C17,C18,C19,C20,C21"
)


def test_columns():
    assert RAW_LOGS["avazu"] is AVAZU
    assert ",".join(AVAZU.columns) == HEADER
    assert AVAZU.label == "click"
    assert AVAZU.dense == ()
    # The raw hour is a field, the id of the row is not.
    assert AVAZU.categorical == AVAZU.columns[2:]


def test_layout():
    assert (AVAZU.delimiter, AVAZU.header, AVAZU.first_line) == (",", True, 2)
    assert (AVAZU.test_fraction, AVAZU.validation_fraction) == (0.2, 0.1)


def test_copies():
    assert RAW_LOGS["avazu_x1"] is AVAZU_X1
    assert RAW_LOGS["avazu_x4"] is AVAZU_X4
    names = ",".join(f"feat_{i}" for i in range(1, 23))
    assert ",".join(AVAZU_X1.columns) == f"label,{names}"
    assert AVAZU_X1.categorical == AVAZU_X1.columns[1:]
    assert AVAZU_X4.columns == AVAZU.columns
    assert AVAZU_X4.categorical == AVAZU.categorical
    for log in (AVAZU_X1, AVAZU_X4):
        assert (log.dense, log.delimiter, log.first_line) == ((), ",", 2)
        assert log.test_is_labeled and not log.quoted


@pytest.fixture
def lines():
    """Lines of `AVAZU` whose `C21` counts the rows; three days."""

    def lines(start, stop):
        rows = [
            ["1e9", str(row % 2), f"1410{21 + row // 10}00"]
            + ["-1"] * 20
            + [str(row)]
            for row in range(start, stop)
        ]
        return "\n".join([HEADER, *(",".join(row) for row in rows)]) + "\n"

    return lines


def test_load_raw_without_the_unlabeled_test(tmp_path, lines):
    (tmp_path / "train").write_text(lines(0, 30))
    (tmp_path / "test").write_text("id,hour\n")
    for source in (tmp_path, tmp_path / "train"):
        data = load_avazu(source, split="day", cache_dir=tmp_path / "cache")
        assert data["train"].column_names == ["click", *AVAZU.categorical]
        rows = {split: data[split]["C21"][:] for split in data}
        assert rows == {
            "train": [str(row) for row in range(10)],
            "validation": [str(row) for row in range(10, 20)],
            "test": [str(row) for row in range(20, 30)],
        }
        assert data["test"][0]["hour"] == "14102300"


def test_x4_is_known_by_its_validation_file(tmp_path, lines):
    folder = tmp_path / "Avazu_x4"
    folder.mkdir()
    for number, name in enumerate(("train", "valid", "test")):
        text = lines(10 * number, 10 * number + 10)
        (folder / f"{name}.csv").write_text(text)
    data = load_avazu(folder, cache_dir=tmp_path / "cache")
    assert data.num_rows == {"train": 10, "validation": 10, "test": 10}
    assert data["validation"]["C21"][0] == "10"
    # Kaggle's file `test` has no labels, and does not belong to the log.
    raw = load_avazu(
        folder,
        version="raw",
        test_fraction=0,
        validation_fraction=0,
        cache_dir=tmp_path / "cache",
    )
    assert raw.num_rows == {"train": 10}


def test_x1(tmp_path):
    header = ",".join(AVAZU_X1.columns)
    row = ",".join(str(i) for i in range(23))
    (tmp_path / "log").write_text(f"{header}\n{row}\n")
    data = load_avazu(
        tmp_path / "log",
        test_fraction=0,
        validation_fraction=0,
        cache_dir=tmp_path / "cache",
    )
    values = [0, *(str(i) for i in range(1, 23))]
    expected = dict(zip(AVAZU_X1.columns, values, strict=True))
    assert data["train"].to_list() == [expected]
