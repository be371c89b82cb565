"""`python -m zoo serve` as a process: its address, its limits, its end."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.zoo.server.process import server_process
from tests.zoo.server.process import start

pytestmark = [
    pytest.mark.one_backend(reason="the command, not what it calls"),
    pytest.mark.usefixtures("heard"),
]

PRESET = "deepfm_synthetic"
# Python imports this at its start.
NOT_INSTALLED = """
import sys
sys.modules["{package}"] = None
"""


@pytest.fixture(scope="module")
def body():
    row = {f"I{i}": i for i in range(1, 14)}
    row |= {f"C{i}": f"{i:08x}" for i in range(1, 27)}
    return json.dumps({"rows": [row]}).encode()


def begin(url, body):
    """Sends the first half of a request."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    connection.putrequest("POST", "/predict")
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body[: len(body) // 2])
    return connection


def finish(connection, body):
    with closing(connection):
        connection.send(body[len(body) // 2 :])
        with connection.getresponse() as answer:
            return answer.status, json.loads(answer.read())


def is_refused(url):
    address = urlsplit(url)
    try:
        socket.create_connection((address.hostname, address.port)).close()
    except ConnectionRefusedError:
        return True
    return False


@pytest.mark.parametrize(
    ("number", "code", "stderr"),
    [
        (signal.SIGTERM, 0, ""),
        (signal.SIGINT, 130, "interrupted: serve\n"),
    ],
)
def test_a_server_that_is_stopped_answers_what_has_begun(
    body, number, code, stderr
):
    with server_process(PRESET, "--max-rows", 4) as (process, url):
        health = httpx2.get(f"{url}/health").json()
        assert (health["status"], health["preset"]) == ("ok", PRESET)
        connection = begin(url, body)
        # The other half comes when it no longer listens.
        time.sleep(0.2)
        process.send_signal(number)
        deadline = time.monotonic() + 30
        while not is_refused(url):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert process.poll() is None
        status, answer = finish(connection, body)
        assert status == 200
        assert len(answer["probabilities"]) == 1
        assert process.communicate(timeout=60)[1] == stderr
        assert process.returncode == code


def test_a_body_that_is_too_large_gets_its_answer():
    """Also where a client writes all of it before it reads."""
    with server_process(PRESET, "--max-bytes", 1000, "--max-rows", 1) as (
        _,
        url,
    ):
        for _ in range(5):
            answer = httpx2.post(f"{url}/predict", content=b" " * 3_000_000)
            assert answer.status_code == 413


def test_a_port_that_is_not_free_is_named():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        process = start(PRESET, "--port", port)
        _, stderr = process.communicate(timeout=120)
    assert process.returncode == 1
    [line] = stderr.splitlines()
    assert line.startswith("error: `host` and `port` must be an address")
    assert f"port={port}" in line


@pytest.mark.parametrize("package", ["fastapi", "uvicorn"])
def test_a_missing_package_is_named(tmp_path, package):
    (tmp_path / "sitecustomize.py").write_text(
        NOT_INSTALLED.format(package=package)
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "zoo", "serve", PRESET],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path, "COLUMNS": "300"},
    )
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert "pip install 'keras-cowclip[serve]'" in line
