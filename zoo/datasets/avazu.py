"""Describes Avazu's click log in the versions that were published."""

from dataclasses import replace

from zoo.raw.log_format import LogFormat

_COLUMNS = (
    "id",
    "click",
    "hour",
    "C1",
    "banner_pos",
    "site_id",
    "site_domain",
    "site_category",
    "app_id",
    "app_domain",
    "app_category",
    "device_id",
    "device_ip",
    "device_model",
    "device_type",
    "device_conn_type",
    *(f"C{i}" for i in range(14, 22)),
)

AVAZU = LogFormat(
    name="avazu",
    columns=_COLUMNS,
    label="click",
    dense=(),
    # `id` differs in every row: nothing can be learned from it.
    categorical=tuple(n for n in _COLUMNS if n not in ("id", "click")),
    delimiter=",",
    header=True,
    test_fraction=0.2,
    validation_fraction=0.1,
    # YYMMDDHH
    day=("hour", 6),
    test_is_labeled=False,
)
"""Facts of `train` as Kaggle's Avazu challenge gave it out.

40,428,967 rows of ten days of mobile advertisements in time order (click rate
.170). 22 fields, all categorical: the text is hashed, `hour` is `YYMMDDHH` and
kept as it is, and numbers such as `C1` or `C14` are codes, no quantities; -1
is a value like any other. Comma-separated, the first line names the columns.
Kaggle's `test` has no `click`.

The split is CowClip's share for the test, 20 % of the rows drawn at random,
and 10 % more for validation, which CowClip did without.

Reference:
- [Kaggle](https://www.kaggle.com/c/avazu-ctr-prediction), competition rules
- [Zheng et al., 2022](https://arxiv.org/abs/2204.06240)
"""

_X1_FIELDS = tuple(f"feat_{i}" for i in range(1, 23))

AVAZU_X1 = LogFormat(
    name="avazu_x1",
    columns=("label", *_X1_FIELDS),
    label="label",
    dense=(),
    categorical=_X1_FIELDS,
    delimiter=",",
    header=True,
    test_fraction=0.2,
    validation_fraction=0.1,
)
"""Facts of the files of `reczoo/Avazu_x1`, a benchmark's copy of `AVAZU`.

The same 40,428,967 rows in three files: `train.csv` 28,300,276, `valid.csv`
4,042,897, `test.csv` 8,085,794 (7:1:2), 625 MB as one zip. Somebody encoded
them beforehand: 22 fields of ids without their names. Comma-separated, the
first line names the columns.

Reference:
- [Hugging Face](https://huggingface.co/datasets/reczoo/Avazu_x1)
- [Zhu et al., 2022](https://arxiv.org/abs/2205.09626), the benchmark BARS
"""

AVAZU_X4 = replace(AVAZU, name="avazu_x4", test_is_labeled=True)
"""Facts of the files of `reczoo/Avazu_x4`, a benchmark's copy of `AVAZU`.

The same 40,428,967 rows in three files: `train.csv` 32,343,172, `valid.csv`
4,042,897, `test.csv` 4,042,898, 1.31 GB as one zip. Names and values are the
raw ones; `id` is not read.

Reference:
- [Hugging Face](https://huggingface.co/datasets/reczoo/Avazu_x4)
- [Zhu et al., 2022](https://arxiv.org/abs/2205.09626), the benchmark BARS
"""
