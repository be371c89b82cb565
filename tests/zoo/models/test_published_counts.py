"""Each network has as many weights as the run of it that BARS logged.

https://github.com/reczoo/BARS, CTR prediction on Criteo_x1: 13 numbers and 26
fields, embeddings of length 10. The number of parameters is in each log.
"""

from unittest import mock

import keras
import numpy as np
import pytest

import zoo
from zoo.interop.weighted_model import named_weights

VOCABULARIES = (
    *(1462, 560, 413424, 248543, 307, 23, 12192, 635, 5, 54712, 5350, 409749),
    *(3182, 29, 12500, 365811, 12, 4934, 2096, 6, 397981, 20, 17, 88608, 98),
    64073,
)
THREE = {"hidden_units": (400, 400, 400)}
NORMED = {**THREE, "normalization": "batch"}
NONE = {"hidden_units": ()}
CROSS = {"linear": False, "mixture": False}
AUTOINT = {"attention_units": 256, "num_layers": 3, "layer_norm": True}
# By the name of the run: the network, its arguments, the parameters in the
# log, and how many more biases it has that change nothing: of the logit, where
# the zoo has one in any case, and in DESTINE one of each softmax.
RUNS = {
    "LR": ("lr", {}, 2_086_317, 0),
    "FM": ("fm", {}, 22_949_477, 0),
    "HOFM": ("hofm", {"order": 3}, 43_812_637, 0),
    "FwFM": ("fwfm", {"linear_type": "FeLV"}, 41_727_062, 0),
    "FmFM": ("fmfm", {}, 23_023_577, 0),
    "AFM": ("afm", {"attention_units": 32}, 22_949_871, 0),
    "HFM": ("hfm", {"deep": False}, 22_949_487, 0),
    "HFM+": ("hfm", {**THREE, "deep": True}, 26_235_078, 1),
    "DNN": (
        "finalmlp",
        {
            **THREE,
            "second_units": (400, 400, 400),
            "fusion": False,
            "selection": False,
        },
        21_818_362,
        1,
    ),
    "WideDeep": ("wide_deep", {**NORMED, "dense": "embed"}, 23_429_477, 0),
    "IPNN": ("pnn", NORMED, 21_639_561, 0),
    "NFM": ("nfm", THREE, 23_275_077, 0),
    "DeepFM": ("deepfm", {**NORMED, "dense": "embed"}, 23_429_477, 0),
    "CrossNet": (
        "dcn",
        {**NONE, "num_cross_layers": 12, "linear": False, "dense": "embed"},
        20_872_911,
        0,
    ),
    "DCN": ("dcn", {**THREE, "linear": False, "dense": "embed"}, 21_343_491, 0),
    "CrossNetV2": (
        "dcn_v2",
        {**NONE, **CROSS, "num_cross_layers": 5, "dense": "embed"},
        21_626_001,
        0,
    ),
    "DCNv2": (
        "dcn_v2",
        {"hidden_units": (500, 500, 500), **CROSS, "dense": "embed"},
        22_018_021,
        0,
    ),
    "CIN": ("xdeepfm", {**NONE, "cin_units": (32,) * 5}, 23_158_213, 0),
    "xDeepFM": ("xdeepfm", {**THREE, "cin_units": (16, 16)}, 23_461_462, 1),
    "AutoInt": ("autoint", {**NONE, **AUTOINT, "num_heads": 4}, 23_364_453, 0),
    "AutoInt+": (
        "autoint",
        {**NORMED, **AUTOINT, "num_heads": 2},
        23_844_454,
        1,
    ),
    "FiGNN": ("fi_gnn", {"num_layers": 6}, 20_925_920, -1),
    "DESTINE": (
        "destine",
        {**NORMED, "attention_units": 128, "num_layers": 4},
        21_552_328,
        5,
    ),
    "SAM": ("sam", {"interaction": "SAM3A", "num_layers": 5}, 20_940_260, 0),
    "AOANet": ("aoanet", {**NORMED, "num_subspaces": 8}, 21_356_289, 0),
    "FiBiNET": (
        "fibinet",
        {**THREE, "reduction_ratio": 12, "shared_bilinear": True},
        29_273_411,
        0,
    ),
    "DLRM": ("dlrm", NORMED, 21_664_241, 0),
    "AFN": (
        "afn",
        {"logarithmic_neurons": 400, "hidden_units": (800,)},
        24_081_239,
        0,
    ),
    "AFN+": (
        "afn",
        {
            "logarithmic_neurons": 100,
            "hidden_units": (200,),
            "ensemble": True,
            "deep_units": (400, 400, 400),
            "normalization": "batch",
        },
        42_411_303,
        0,
    ),
    "DeepIM": (
        "deep_im",
        {**NORMED, "order": 3, "interaction_norm": True},
        21_343_252,
        1,
    ),
    "MaskNet": (
        "masknet",
        {**THREE, "reduction_ratio": 0.2, "embedding_norm": False},
        21_530_629,
        0,
    ),
    "EDCN": ("edcn", {"normalization": "batch"}, 21_329_055, 0),
    "FinalMLP": (
        "finalmlp",
        {
            **NORMED,
            "second_units": (1000,),
            "second_normalization": "batch",
            "gate_units": (800,),
            "first_context": tuple(f"I{i}" for i in range(1, 14)),
            "second_context": ("C6",),
            "num_heads": 200,
        },
        22_478_162,
        1,
    ),
    "FinalNet": (
        "finalnet",
        {
            "hidden_units": (400, 400),
            "second_units": (400, 400),
            "normalization": "batch",
        },
        21_658_582,
        -1,
    ),
}
# Their data had a row more for each field.
LATER = ("FinalMLP", "FinalNet")


def schema_of(run):
    fewer = 0 if run in LATER else 1
    return zoo.FeatureSchema(
        [f"I{i}" for i in range(1, 14)],
        {f"C{i}": size - fewer for i, size in enumerate(VOCABULARIES, 1)},
    )


@pytest.mark.one_backend(reason="a network has its weights on every backend")
@pytest.mark.parametrize("run", RUNS)
def test_parameters_are_those_of_the_published_run(run):
    network, arguments, expected, idle_biases = RUNS[run]
    # To draw millions of numbers takes longer than all else.
    with mock.patch("keras.initializers.RandomNormal") as initializer:
        initializer.return_value = keras.initializers.Zeros()
        model = zoo.create_model(
            network, schema_of(run), **{"embedding_dim": 10, **arguments}
        )
    count = sum(
        int(np.prod(variable.shape))
        for variable in named_weights(model).values()
        if variable.trainable
    )
    assert count + idle_biases == expected
