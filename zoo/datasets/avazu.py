"""Avazu's Click-Through Rate Prediction challenge."""

from zoo.encoding.log_format import LogFormat

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
