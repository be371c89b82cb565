"""Describes Criteo's click logs in the versions that were published."""

from dataclasses import replace

from zoo.raw.log_format import LogFormat

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
    test_is_labeled=False,
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

CRITEO_X1 = replace(
    CRITEO,
    name="criteo_x1",
    delimiter=",",
    header=True,
    dense_type="float",
    test_is_labeled=True,
)
"""Facts of the files of `reczoo/Criteo_x1`, a benchmark's copy of `CRITEO`.

The same 45,840,617 rows in three files: `train.csv` 33,003,326, `valid.csv`
8,250,124, `test.csv` 4,587,167 (72:18:10), 2.89 GB as one zip. Somebody
encoded them beforehand: I1 to I13 are scaled floats, C1 to C26 are ids, and
nothing is missing. Comma-separated, the first line names the columns.

Reference:
- [Hugging Face](https://huggingface.co/datasets/reczoo/Criteo_x1)
- [Zhu et al., 2022](https://arxiv.org/abs/2205.09626), the benchmark BARS
"""

CRITEO_X4 = replace(
    CRITEO,
    name="criteo_x4",
    columns=("Label", *CRITEO.columns[1:]),  # type: ignore[index]
    label="Label",
    delimiter=",",
    header=True,
    test_is_labeled=True,
)
"""Facts of the files of `reczoo/Criteo_x4`, a benchmark's copy of `CRITEO`.

The same 45,840,617 rows in three files: `train.csv` 36,672,493, `valid.csv`
4,584,062, `test.csv` 4,584,062, 4.05 GB as one zip. The values are the raw
ones, empty where they are missing; the label is called `Label`, which
`zoo.datasets.load_criteo` renames to `label`. Comma-separated, the first line
names the columns.

Reference:
- [Hugging Face](https://huggingface.co/datasets/reczoo/Criteo_x4)
- [Zhu et al., 2022](https://arxiv.org/abs/2205.09626), the benchmark BARS
"""
