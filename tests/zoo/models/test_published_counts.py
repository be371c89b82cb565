"""Each network has as many weights as the run of it that BARS logged.

https://github.com/reczoo/BARS, CTR prediction on Criteo_x1: 13 numbers and 26
fields. The number of parameters is in each log, and beside it in the recipe.
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
# FFM's tables would take 1.6 GB.
RUNS = [
    name
    for name in zoo.built_in_recipes()
    if "criteo_x1_" in name and name != "criteo_x1_ffm"
]
# Biases that change nothing: of the logit, where the zoo has one in any case,
# and in DESTINE one of each softmax. The zoo has so many fewer than the log.
IDLE_BIASES = {
    **dict.fromkeys(("autoint_plus", "deepim", "dnn", "finalmlp"), 1),
    **dict.fromkeys(("hfm_plus", "xdeepfm"), 1),
    **dict.fromkeys(("fignn", "finalnet_2b"), -1),
    "destine": 5,
}
# Their data had a row more for each field.
LATER = ("finalmlp", "finalnet_1b", "finalnet_2b")


def schema_of(run):
    fewer = 0 if run in LATER else 1
    return zoo.FeatureSchema(
        [f"I{i}" for i in range(1, 14)],
        {f"C{i}": size - fewer for i, size in enumerate(VOCABULARIES, 1)},
    )


@pytest.mark.one_backend(reason="a network has its weights on every backend")
@pytest.mark.parametrize("name", RUNS)
def test_parameters_are_those_of_the_published_run(name):
    run = name.removeprefix("criteo_x1_")
    file = zoo.RecipeFile.load(name)
    # To draw millions of numbers takes longer than all else.
    with mock.patch("keras.initializers.RandomNormal") as initializer:
        initializer.return_value = keras.initializers.Zeros()
        model = zoo.Recipe(**file.recipe).make_network(schema_of(run))
    count = sum(
        int(np.prod(variable.shape))
        for variable in named_weights(model).values()
        if variable.trainable
    )
    assert count + IDLE_BIASES.get(run, 0) == file.published["parameters"]
