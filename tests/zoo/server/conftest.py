import pytest

import zoo
from tests.zoo import networks
from tests.zoo.server.shop import SHOP
from tests.zoo.server.shop import TWO_LABELS
from tests.zoo.server.shop import table


@pytest.fixture(scope="session")
def make_predictor(tmp_path_factory):
    def make_predictor(log_format, network):
        folder = tmp_path_factory.mktemp("server") / "encoded"
        zoo.prepare(
            log_format,
            table(),
            folder,
            dense_transform="none",
            show_progress=False,
        )
        encoder = zoo.ClickEncoder.load(folder / "encoder")
        model = network(encoder.schema, embedding_dim=4, hidden_units=(8,))
        networks.set_weights(model, deviation=0.3)
        return zoo.CTRPredictor(model, encoder)

    return make_predictor


@pytest.fixture(scope="session")
def predictor(make_predictor):
    return make_predictor(SHOP, zoo.DeepFM)


@pytest.fixture(scope="session")
def several_labels(make_predictor):
    return make_predictor(TWO_LABELS, zoo.MMoE)


@pytest.fixture(scope="session")
def preset(predictor, tmp_path_factory):
    folder = tmp_path_factory.mktemp("server") / "preset"
    zoo.save_to_preset(predictor.model, folder, predictor.encoder)
    return folder
