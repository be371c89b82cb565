"""Compares ESMM with torch-rechub's, which has one output more."""

import keras
import numpy as np
import pytest

import zoo
from tests.zoo.models.golden_pack import OWN
from tests.zoo.models.golden_pack import Golden
from tests.zoo.models.golden_pack import variants


def test_its_outputs_are_those_of_torch_rechub():
    golden = Golden(variants(OWN)["torch-rechub/ESMM/base"])
    model = golden.import_weights()
    outputs = model(golden.inputs(model.schema), training=False)
    # The first column is the second factor of the last.
    for label, column in zip(model.schema.labels, (1, 2), strict=True):
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(outputs[label])[:, 0],
            golden["probability"][:, column],
            rtol=0,
            atol=1e-5,
        )


@pytest.mark.one_backend(reason="a check looks at no tensor")
@pytest.mark.parametrize("labels", [("click",), ("click", "buy", "return")])
def test_it_needs_two_labels(labels):
    schema = zoo.FeatureSchema([], {"site": 7}, labels=labels)
    with pytest.raises(ValueError, match="two labels.*Received"):
        zoo.ESMM(schema)
