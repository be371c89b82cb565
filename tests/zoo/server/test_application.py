"""Requests get the probabilities that the predictor gives their rows."""

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx2
import keras
import numpy as np
import pytest
from fastapi.testclient import TestClient

import keras_cowclip
from tests.zoo import networks
from tests.zoo import own_networks
from tests.zoo.server.shop import ROW
from tests.zoo.server.shop import rows
from zoo.server import Limits
from zoo.server import make_application
from zoo.serving.predictor import CTRPredictor

ONCE = pytest.mark.one_backend(reason="the server, not what it calls")
# Batches of other sizes are multiplied by other loops.
CLOSE = {"rtol": 0, "atol": 1e-6}


@pytest.fixture(scope="module")
def application(predictor):
    return make_application(predictor, "shop")


@pytest.fixture
def client(application):
    with TestClient(application) as client:
        yield client


def probabilities(answer):
    assert answer.status_code == 200, answer.text
    return answer.json()["probabilities"]


@pytest.mark.parametrize("number", [1, 2, 7, 100])
def test_rows_get_the_probabilities_of_the_predictor(client, predictor, number):
    given = rows(number)
    received = probabilities(client.post("/predict", json={"rows": given}))
    np.testing.assert_allclose(received, predictor.predict(given), **CLOSE)
    assert len({*received}) > 0.9 * number


def test_one_row_needs_no_list(client):
    listed = client.post("/predict", json={"rows": [ROW]})
    assert client.post("/predict", json={"rows": ROW}).json() == listed.json()


def test_several_labels_have_a_list_each(several_labels):
    given = rows(5)
    with TestClient(make_application(several_labels)) as client:
        received = probabilities(client.post("/predict", json={"rows": given}))
        none = probabilities(client.post("/predict", json={"rows": []}))
    expected = several_labels.predict(given)
    assert [*received] == [*expected] == ["click", "buy"]
    for label, column in expected.items():
        np.testing.assert_allclose(received[label], column, **CLOSE)
    assert none == {"click": [], "buy": []}


def test_a_model_of_a_user_is_served(predictor):
    model = own_networks.functional(predictor.encoder.schema)
    own = CTRPredictor(networks.set_weights(model), predictor.encoder)
    with TestClient(make_application(own)) as client:
        received = probabilities(client.post("/predict", json={"rows": [ROW]}))
        none = probabilities(client.post("/predict", json={"rows": []}))
        assert client.get("/health").json()["network"] == "Functional"
    np.testing.assert_allclose(received, own.predict([ROW]), **CLOSE)
    assert none == []


def test_concurrent_requests_get_what_they_get_alone(application):
    """Also beside requests that are bad, which fail alone."""
    requests = [rows(40)[i : i + 1 + i % 5] for i in range(36)]
    bad = {**ROW, "price": "dear"}

    async def send(client, given):
        return await client.post("/predict", json={"rows": given})

    async def run():
        async with httpx2.AsyncClient(
            transport=httpx2.ASGITransport(application), base_url="http://shop"
        ) as client:
            alone = [await send(client, given) for given in requests]
            mixed = [each for given in requests for each in (given, [ROW, bad])]
            together = await asyncio.gather(*(send(client, x) for x in mixed))
            return alone, together

    alone, together = asyncio.run(run())
    for expected, answer in zip(alone, together[::2], strict=True):
        np.testing.assert_allclose(
            probabilities(answer), probabilities(expected), **CLOSE
        )
    for answer in together[1::2]:
        assert answer.status_code == 422
        assert "column 'price', and row 1" in answer.json()["detail"]


@ONCE
def test_values_that_mean_the_same_get_the_same(client):
    """As in `CTRPredictor.predict`: numbers as text, columns beside."""
    same = [
        ROW,
        {**ROW, "hour": "7", "price": "0.5"},
        {**ROW, "history": "s1|s2", "unknown": {"a": [float("nan")]}},
    ]
    first, *others = probabilities(
        client.post("/predict", content=json.dumps({"rows": same}))
    )
    assert others == [pytest.approx(first, abs=1e-6)] * 2


@ONCE
def test_null_is_missing_and_no_rows_have_no_probabilities(client, predictor):
    missing = dict.fromkeys(ROW)
    received = probabilities(client.post("/predict", json={"rows": missing}))
    np.testing.assert_allclose(received, predictor.predict([missing]), **CLOSE)
    assert probabilities(client.post("/predict", json={"rows": []})) == []


@ONCE
def test_the_health_says_what_is_served(client):
    before = client.get("/health").json()
    assert before == {
        "status": "ok",
        "preset": "shop",
        "network": "deepfm",
        "backend": keras.backend.backend(),
        "version": keras_cowclip.__version__,
        "rows_served": before["rows_served"],
    }
    client.post("/predict", json={"rows": [ROW] * 3})
    client.post("/predict", json={"rows": [{}]})
    after = client.get("/health").json()["rows_served"]
    assert after == before["rows_served"] + 3


@ONCE
def test_the_page_shows_a_row_that_can_be_sent(client):
    described = client.get("/openapi.json").json()
    body = described["paths"]["/predict"]["post"]["requestBody"]
    content = body["content"]["application/json"]
    [row] = content["example"]["rows"]
    assert [*row] == [*ROW]
    # Tokens of the training log.
    assert row["site"].startswith("s")
    assert row["history"] == [row["site"]]
    probabilities(client.post("/predict", json=content["example"]))
    listed, single = content["schema"]["properties"]["rows"]["oneOf"]
    assert listed["items"] == single
    assert single["required"] == [*ROW]
    assert client.get("/docs").status_code == 200


@ONCE
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"price": "dear"}, "in column 'price', and row 1"),
        ({"price": "1e39"}, "in column 'price', and row 1"),
        ({"price": [1]}, "column 'price' of row 1"),
        ({"price": {"a": 1}}, "column 'price' of row 1"),
        ({"site": ["s1"]}, "column 'site' of row 1"),
        ({"site": {}}, "column 'site' of row 1"),
        ({"hour": 0.5}, "column 'hour' of row 1"),
        ({"history": 5}, "in column 'history', and row 1"),
        ({"history": {"a": 1}}, "in column 'history', and row 1"),
        ({"history": [["s1"]]}, "column 'history' of row 1"),
        ({"history": [10**30, {}]}, "column 'history' of row 1"),
    ],
)
def test_a_bad_value_is_named_by_column_and_row(client, changed, message):
    answer = client.post("/predict", json={"rows": [ROW, {**ROW, **changed}]})
    assert answer.status_code == 422, answer.text
    assert message in answer.json()["detail"]
    assert "Received: " in answer.json()["detail"]


@ONCE
@pytest.mark.parametrize("column", ["price", "site", "hour", "history"])
@pytest.mark.parametrize(
    "value",
    [
        *("NaN", "-Infinity", "1e999", "9" * 5000, r'"\ud800"', r'["\udfff"]'),
        *(r'{"\ud800": 1}', r'[null, [{"a": "\udfff"}]]'),
        *("[" * 400 + "]" * 400, '{"a":' * 400 + "1" + "}" * 400),
    ],
)
def test_a_value_that_python_alone_reads_is_named(client, column, value):
    row = json.dumps({**ROW, column: "@"}).replace('"@"', value)
    answer = client.post("/predict", content=f'{{"rows": [{row}]}}')
    assert answer.status_code == 422, answer.text
    assert f"'{column}'" in answer.json()["detail"]
    assert "row 0" in answer.json()["detail"]
    assert len(answer.text) < 1500


@ONCE
@pytest.mark.parametrize("column", ROW)
def test_an_absent_column_is_named(client, column):
    row = {name: value for name, value in ROW.items() if name != column}
    answer = client.post("/predict", json={"rows": [ROW, row]})
    assert answer.status_code == 422
    assert f"a value for '{column}'" in answer.json()["detail"]
    assert "Received: row 1 with" in answer.json()["detail"]


@ONCE
def test_a_number_that_is_too_large_to_compute_with_is_named(predictor):
    """Not an answer with NaN, which is no JSON."""
    weights = predictor.model.get_weights()
    huge = {**ROW, "price": 9e37}
    try:
        predictor.model.set_weights([1e4 * weight for weight in weights])
        with TestClient(make_application(predictor)) as client:
            answer = client.post("/predict", json={"rows": [ROW, huge]})
            assert answer.status_code == 422, answer.text
            assert "row 1 does not" in answer.json()["detail"]
    finally:
        predictor.model.set_weights(weights)


@ONCE
def test_limits_are_kept(predictor):
    limits = Limits(max_rows=3, max_bytes=1000, max_queued_rows=3)
    with TestClient(make_application(predictor, limits=limits)) as client:
        assert client.post("/predict", json={"rows": [ROW] * 3}).is_success
        answer = client.post("/predict", json={"rows": [ROW] * 4})
        assert answer.status_code == 413
        assert "at most 3 rows" in answer.json()["detail"]
        for content in (b" " * 1001, iter([b" " * 600] * 2)):
            answer = client.post("/predict", content=content)
            assert answer.status_code == 413
            assert "at most 1000 bytes" in answer.json()["detail"]
        answer = client.post(
            "/predict", content=b"", headers={"Content-Encoding": "gzip"}
        )
        assert answer.status_code == 415


@ONCE
def test_a_body_is_not_read_further_than_allowed(predictor):
    sent = []

    async def send(message):
        sent.append(message)

    async def endless():
        assert not sent, "read on behind the limit"
        return {"type": "http.request", "body": b"x" * 300, "more_body": True}

    application = make_application(predictor, limits=Limits(max_bytes=1000))
    asyncio.run(application(scope(), endless, send))
    assert sent[0]["status"] == 413


@ONCE
def test_a_slow_client_and_one_that_leaves_are_let_go(predictor):
    application = make_application(predictor, limits=Limits(max_seconds=1))
    statuses = []

    async def send(message):
        statuses.append(message.get("status"))

    async def silent():
        await asyncio.sleep(60)

    async def leave():
        return {"type": "http.disconnect"}

    asyncio.run(application(scope(), silent, send))
    asyncio.run(application(scope(), leave, send))
    assert statuses[::2] == [408, 400]


def scope():
    return {
        "type": "http",
        "method": "POST",
        "path": "/predict",
        "raw_path": b"/predict",
        "query_string": b"",
        "headers": [],
        "app_root_path": "",
    }


@ONCE
def test_clients_are_sent_away_while_too_many_rows_wait(predictor, monkeypatch):
    limits = Limits(max_rows=4, max_queued_rows=4)
    asked, go_on = threading.Event(), threading.Event()
    predict = predictor.predict_encoded

    def slow(inputs):
        asked.set()
        assert go_on.wait(30)
        return predict(inputs)

    monkeypatch.setattr(predictor, "predict_encoded", slow)
    application = make_application(predictor, limits=limits)
    with TestClient(application) as client, ThreadPoolExecutor(1) as thread:
        first = thread.submit(client.post, "/predict", json={"rows": [ROW] * 3})
        assert asked.wait(30)
        answer = client.post("/predict", json={"rows": [ROW] * 2})
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "1"
        assert "while 4 wait" in answer.json()["detail"]
        # It is alive, and says so.
        assert client.get("/health").status_code == 200
        go_on.set()
        assert first.result().status_code == 200
        # What was counted is free again.
        assert client.post("/predict", json={"rows": [ROW] * 4}).is_success
