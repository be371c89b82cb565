"""Criteo's Display Advertising Challenge."""

from zoo.encoding.log_format import LogFormat

CRITEO = LogFormat(
    name="criteo",
    columns=(
        "label",
        *(f"I{i}" for i in range(1, 14)),
        *(f"C{i}" for i in range(1, 27)),
    ),
    label="label",
    dense=tuple(f"I{i}" for i in range(1, 14)),
    categorical=tuple(f"C{i}" for i in range(1, 27)),
    delimiter="\t",
    header=False,
    test_fraction=0.1,
    validation_fraction=0.1,
)
"""Facts of `train.txt` as Kaggle's Display Advertising Challenge gave it out.

45,840,617 rows of one week of Criteo's traffic in time order, clicks kept more
often than the rest (click rate .256). 13 integer columns, counts mostly, some
of them negative, and 26 columns of hashed 8-digit hexadecimal text; either
kind may be empty. Tab-separated, no header. The files `day_0` to `day_23` of
Criteo's Terabyte log have the same layout. Kaggle's `test.txt` has no label.

The split is CowClip's share for the test, 10 % of the rows drawn at random,
and 10 % more for validation, which CowClip did without.

Reference:
- [Criteo](https://ailab.criteo.com/ressources/), non-commercial terms
- [Zheng et al., 2022](https://arxiv.org/abs/2204.06240)
"""
