from pathlib import Path

import pytest

import keras_cowclip
import zoo
from zoo.registry import NAMES
from zoo.registry import NETWORKS
from zoo.registry import networks_by_needs
from zoo.registry import networks_table

SCHEMA = zoo.FeatureSchema(
    ["price"],
    {"site": 4, "hour": 3, "device": 2},
    roles={
        "user": "site",
        "item": "hour",
        "context": "price",
        "domain": "device",
    },
    sequences={"sites": zoo.Sequence("site", max_length=5)},
    labels=("click", "buy"),
)


def test_every_name_has_its_network():
    assert tuple(sorted(NETWORKS)) == NAMES


def test_the_documents_have_the_tables_of_networks():
    root = Path(__file__).parents[2]
    assert networks_by_needs() in (root / "README.md").read_text()
    guide = root / "docs" / "all_networks.md"
    assert networks_table() in guide.read_text()
    rows = networks_table().splitlines()[2:]
    for name, row in zip(NAMES, rows, strict=True):
        cls = NETWORKS[name]
        assert row.startswith(f"| `zoo.{cls.__name__}` |")
        _, _, _, what, _, _, paper, _ = row.split("|")
        assert len(what) > 10
        assert "](https://" in paper


def test_the_reference_has_every_network():
    reference = Path(__file__).parents[2] / "docs/reference/models.md"
    for cls in NETWORKS.values():
        assert f"::: zoo.{cls.__name__}\n" in reference.read_text()
        assert getattr(zoo, cls.__name__) is cls


def test_a_network_of_ones_own_has_a_name(monkeypatch):
    monkeypatch.setattr("zoo.registry.NETWORKS", dict(NETWORKS))

    @zoo.register_network("tower")
    class Tower(zoo.CTRModel):
        def logits(self, x):
            return x.output(x.mlp())

    assert zoo.list_models()[-1] == "tower"
    model = zoo.create_model("tower", SCHEMA, hidden_units=(3,))
    assert type(model) is Tower
    assert zoo.Recipe(model="tower").for_network(model).model == "tower"
    with pytest.raises(ValueError, match="no other network has.*Tower"):
        zoo.register_network("tower")(type("Other", (zoo.CTRModel,), {}))


@pytest.mark.parametrize("name", zoo.list_models())
def test_a_network_is_made_by_its_name(name):
    model = zoo.create_model(
        name, SCHEMA, embedding_dim=4, hidden_units=(4,), dropout=0.5
    )
    assert isinstance(model, zoo.CTRModel)
    assert not model.compiled
    config = model.get_config()
    assert config["embedding_dim"] == 4
    assert list(config["hidden_units"]) == [4]
    assert config["dropout"] == 0.5
    assert zoo.Recipe().for_network(model).model == name


def test_a_networks_own_argument_reaches_it():
    model = zoo.create_model("dcn", SCHEMA, num_cross_layers=2)
    assert model.get_config()["num_cross_layers"] == 2


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError) as error:
        zoo.create_model("deep_fm", SCHEMA)
    assert "`name` must be one of" in str(error.value)
    assert str(zoo.list_models()) in str(error.value)
    assert str(error.value).endswith("Received: name='deep_fm'")


def test_an_argument_of_another_network_is_refused():
    with pytest.raises(ValueError) as error:
        zoo.create_model("deepfm", SCHEMA, num_cross_layers=2)
    assert "`DeepFM` must be among ['embedding_dim', " in str(error.value)
    assert str(error.value).endswith("Received: num_cross_layers=2")


def test_a_value_out_of_its_range_is_refused():
    with pytest.raises(ValueError, match="Received: embedding_dim=0$"):
        zoo.create_model("deepfm", SCHEMA, embedding_dim=0)


def test_the_version_is_that_of_the_optimizer():
    assert zoo.__version__ is keras_cowclip.__version__
