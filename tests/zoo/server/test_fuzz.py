"""No request, however odd, makes the server fail."""

import json
import math
from pathlib import Path

import httpx2
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from tests.zoo.server.process import resident_bytes
from tests.zoo.server.process import server_process
from tests.zoo.server.shop import ROW
from zoo.server import make_application

pytestmark = pytest.mark.one_backend(reason="requests, not what they ask")

REFUSALS = {400, 413, 415, 422}
# Also halves of characters and numbers that JSON has not.
texts = st.text(st.characters(exclude_categories=()), max_size=8)
numbers = (
    st.integers()
    | st.integers(10**17, 10**25)
    | st.floats()
    | st.sampled_from([1e300, -1e38, 10**400, 0.5, -0.0])
)
scalars = (
    st.none()
    | st.booleans()
    | numbers
    | texts
    | st.sampled_from(["s1", "s1|s2", "1e39", "nan", "NULL", "\x00", "-", " 7"])
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=3)
    ),
    max_leaves=8,
)
# Mostly a row of the log, so that most requests reach the encoder.
rows = st.fixed_dictionaries(
    {name: st.just(value) | scalars | values for name, value in ROW.items()},
    optional={"other": values},
)
good_shapes = st.builds(
    lambda rows: {"rows": rows},
    st.lists(rows, min_size=1, max_size=3) | rows,
)
shapes = (
    st.builds(lambda rows: {"rows": rows}, values)
    | st.dictionaries(texts, values, max_size=2)
    | values
)


@st.composite
def json_bodies(draw, shapes):
    text = json.dumps(draw(shapes), ensure_ascii=draw(st.booleans()))
    return text.encode("utf-8", "surrogatepass")


row_bodies = json_bodies(good_shapes)
bodies = row_bodies | json_bodies(shapes) | st.binary(max_size=60)


@st.composite
def damaged(draw):
    """A body of which some bytes are cut out, or others put in."""
    body = draw(bodies)
    start = draw(st.integers(0, len(body)))
    end = draw(st.integers(start, min(start + 4, len(body))))
    inserted = draw(st.sampled_from([b"", b'"', b"[", b"}", b"\\u", b"\xed"]))
    return body[:start] + inserted + body[end:]


requests = row_bodies | row_bodies | bodies | damaged()
headers = st.sampled_from(
    [{}, {"Content-Type": "application/json"}, {"Content-Type": "text/plain"}]
) | st.builds(
    lambda encoding: {"Content-Encoding": encoding},
    st.sampled_from(["gzip", "br", "identity", "x"]),
)


def check(answer):
    content = answer.json()
    if answer.status_code == 200:
        assert all(map(math.isfinite, content["probabilities"]))
    else:
        assert answer.status_code in REFUSALS, answer.text
        assert "Received" in content["detail"]
        assert len(answer.content) < 5000


@pytest.fixture(scope="module")
def client(predictor):
    with TestClient(make_application(predictor)) as client:
        yield client


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(body=requests, headers=headers)
def test_any_request_is_answered(client, body, headers):
    check(client.post("/predict", content=body, headers=headers))


def answer_in_process(url, number):
    """Fuzzes a server in another process, as its clients do."""
    with httpx2.Client(base_url=url, timeout=60) as client:

        @settings(
            max_examples=number,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
            database=None,
        )
        @given(body=requests, headers=headers)
        def answer(body, headers):
            check(client.post("/predict", content=body, headers=headers))

        answer()
        good = client.post("/predict", json={"rows": [ROW]})
        return good.json()["probabilities"]


@pytest.mark.large
@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="resident memory is Linux's"
)
def test_ten_thousand_requests_leave_a_process_as_it_was(preset):
    with server_process(preset) as (process, url):
        before = answer_in_process(url, 2000)
        memory = resident_bytes(process)
        after = answer_in_process(url, 10_000)
        grown = resident_bytes(process) - memory
        print(f"{memory:,} bytes before, {grown:,} more after")
        assert after == before
        assert process.poll() is None
        assert grown < 20e6
        process.terminate()
        assert process.communicate(timeout=60)[1] == ""
