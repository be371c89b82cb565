from zoo.datasets import CRITEO
from zoo.datasets import CRITEO_X1
from zoo.datasets import CRITEO_X4
from zoo.datasets import RAW_LOGS


def test_columns():
    assert RAW_LOGS["criteo"] is CRITEO
    assert len(CRITEO.columns) == 40
    assert CRITEO.columns[:2] == ("label", "I1")
    assert CRITEO.columns[13:15] == ("I13", "C1")
    assert CRITEO.columns[-1] == "C26"
    assert CRITEO.dense == CRITEO.columns[1:14]
    assert CRITEO.categorical == CRITEO.columns[14:]


def test_layout():
    assert (CRITEO.delimiter, CRITEO.header, CRITEO.first_line) == (
        "\t",
        False,
        1,
    )
    assert (CRITEO.test_fraction, CRITEO.validation_fraction) == (0.1, 0.1)


def test_copies():
    assert RAW_LOGS["criteo_x1"] is CRITEO_X1
    assert RAW_LOGS["criteo_x4"] is CRITEO_X4
    for log, label, kind in (
        (CRITEO_X1, "label", "float"),
        (CRITEO_X4, "Label", "integer"),
    ):
        assert log.columns == (label, *CRITEO.columns[1:])
        assert log.used == log.columns
        assert (log.label, log.dense_type) == (label, kind)
        assert (log.delimiter, log.first_line) == (",", 2)
        assert log.test_is_labeled and not log.quoted
