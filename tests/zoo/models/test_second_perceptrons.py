import pytest

import zoo

SCHEMA = zoo.FeatureSchema(["price"], {"site": 7, "hour": 5, "device": 3})


@pytest.mark.parametrize(
    "network, settings",
    [
        (zoo.CCPM, {"top_units": (4,)}),
        (zoo.CCPM, {"top_units": (4, 4, 4)}),
        (zoo.DCNv2, {"structure": "stacked", "stacked_units": (4,)}),
    ],
)
@pytest.mark.parametrize(
    "given",
    [{"dropout": (0.1, 0.2)}, {"activation": ("relu", "tanh")}],
    ids=str,
)
def test_a_setting_is_one_for_all_layers_or_one_for_each(
    network, settings, given
):
    network(SCHEMA, hidden_units=(4, 2), **settings)
    (name,) = given
    with pytest.raises(ValueError, match=f"`{name}` must be one for all"):
        network(SCHEMA, hidden_units=(4, 2), **settings, **given)


@pytest.mark.parametrize("network", [zoo.DeepIM, zoo.HOFM])
def test_a_product_has_no_more_fields_than_there_are(network):
    with pytest.raises(ValueError, match="`order` must be at most .* 4. "):
        network(SCHEMA, order=5)
