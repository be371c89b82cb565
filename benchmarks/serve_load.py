"""Measures `python -m zoo serve` under 1, 16 and 64 clients.

    python benchmarks/serve_load.py

Each backend has a server of its own. The clients are another process; each has
a connection, and sends its next row when it has the answer to the last one. A
request is lost if its answer is not 200 with a probability for each row. The
first seconds of each number of clients are not counted.

The preset has Criteo's columns and a million tokens, see `small_requests.py`.
Writes `benchmarks/results/serving.md`.
"""

import argparse
import asyncio
import datetime
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

RESULTS = Path(__file__).parent / "results" / "serving.md"
BACKENDS = ("tensorflow", "jax", "torch")
TOKENS = 1_000_000
WARM_UP_SECONDS = 2
BODIES = 1000
MISSING_SHARE = 0.05
SEED = 0
_ADDRESS = re.compile(r" at (http://\S+) \(")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backends", nargs="+", default=BACKENDS)
    parser.add_argument("--clients", nargs="+", type=int, default=[1, 16, 64])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rows", type=int, default=1, help="Of a request.")
    parser.add_argument("--preset", help="Another one to serve.")
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--bodies", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.url:
        [clients] = arguments.clients
        bodies = json.loads(arguments.bodies.read_text())
        load = send_all(arguments.url, bodies, clients, arguments.seconds)
        print(json.dumps(asyncio.run(load)))
        return
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        preset = arguments.preset or _large_preset(Path(folder))
        bodies = Path(folder) / "bodies.json"
        bodies.write_text(json.dumps(make_bodies(preset, arguments.rows)))
        for backend in arguments.backends:
            for line in measure(preset, backend, bodies, arguments):
                lines.append({"backend": backend, **line})
                print(lines[-1], flush=True)
    text = markdown(lines, arguments)
    print(text)
    arguments.output.write_text(text)


def _large_preset(folder: Path) -> str:
    from small_requests import make_preset

    make_preset(folder / "criteo", TOKENS)
    return str(folder / "criteo")


def make_bodies(preset: str, rows: int) -> list[str]:
    """Requests with random values of the preset's own vocabulary."""
    import zoo
    from zoo.encoding import vocabulary_file

    encoder = zoo.CTRPredictor.from_preset(preset).encoder
    random = np.random.default_rng(SEED)
    number = rows * BODIES
    columns = {
        name: random.integers(int(low), int(high) + 1, number).tolist()
        for name, (low, high) in zip(
            encoder.log_format.dense, encoder.dense_ranges, strict=True
        )
    }
    files = encoder.vocabularies
    for name, path in zip(files.names, files.paths(), strict=True):
        tokens = vocabulary_file.read(path)["token"]
        places = random.integers(0, len(tokens), number)
        columns[name] = tokens.take(places).to_pylist()
    for values in columns.values():
        for i in np.flatnonzero(random.random(number) < MISSING_SHARE):
            values[i] = None
    table = [
        dict(zip(columns, values, strict=True))
        for values in zip(*columns.values(), strict=True)
    ]
    return [
        json.dumps({"rows": table[start : start + rows]})
        for start in range(0, number, rows)
    ]


def measure(
    preset: str, backend: str, bodies: Path, arguments: argparse.Namespace
) -> list[dict[str, Any]]:
    """Serves a preset, and loads the server with each number of clients."""
    server = subprocess.Popen(
        [sys.executable, "-m", "zoo", "serve", preset, "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "KERAS_BACKEND": backend},
    )
    try:
        assert server.stdout
        url = _ADDRESS.search(server.stdout.readline().strip())[1]
        lines = []
        for clients in arguments.clients:
            _send_in_child(url, bodies, clients, WARM_UP_SECONDS)
            before = _resident_bytes(server.pid)
            line = _send_in_child(url, bodies, clients, arguments.seconds)
            line["memory"] = [before, _resident_bytes(server.pid)]
            lines.append(line)
        server.terminate()
        assert server.wait(60) == 0
        return lines
    finally:
        server.kill()
        server.wait()


def _send_in_child(
    url: str, bodies: Path, clients: int, seconds: float
) -> dict[str, Any]:
    options = {
        "url": url, "bodies": bodies, "clients": clients, "seconds": seconds,
    }  # fmt: skip
    words = [word for name, x in options.items() for word in (f"--{name}", x)]
    done = subprocess.run(
        [sys.executable, __file__, *map(str, words)],
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(done.stdout)


async def send_all(
    url: str, bodies: list[str], clients: int, seconds: float
) -> dict[str, Any]:
    """Sends requests from several clients; returns what they saw."""
    address = urlsplit(url)
    requests = [
        f"POST /predict HTTP/1.1\r\nHost: {address.netloc}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
        for body in bodies
    ]
    rows = len(json.loads(bodies[0])["rows"])
    seen: list[float] = []
    lost = 0
    start = time.perf_counter()

    async def client(number: int) -> None:
        nonlocal lost
        reader, writer = await asyncio.open_connection(
            address.hostname, address.port
        )
        turn = number * len(requests) // clients
        while (sent := time.perf_counter()) < start + seconds:
            writer.write(requests[turn % len(requests)])
            turn += 1
            try:
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"(?i)content-length: (\d+)", head)[1]
                answer = json.loads(await reader.readexactly(int(length)))
                good = len(answer.get("probabilities", ())) == rows
            except (OSError, EOFError):
                lost += 1
                reader, writer = await asyncio.open_connection(
                    address.hostname, address.port
                )
                continue
            seen.append(time.perf_counter() - sent)
            lost += not good
        writer.close()

    await asyncio.gather(*map(client, range(clients)))
    elapsed = time.perf_counter() - start
    p50, p99 = np.quantile(seen, [0.5, 0.99])
    return {
        "clients": clients,
        "requests": len(seen),
        "per_second": len(seen) / elapsed,
        "p50": 1e3 * p50,
        "p99": 1e3 * p99,
        "slowest": 1e3 * max(seen),
        "lost": lost,
    }


def markdown(lines: list[dict[str, Any]], arguments: argparse.Namespace) -> str:
    import zoo  # noqa: F401 - before Keras
    from zoo.runtime.environment import describe_environment

    environment = describe_environment()
    columns = {
        "backend": lambda x: x["backend"],
        "clients": lambda x: x["clients"],
        "requests": lambda x: f"{x['requests']:,}",
        "requests/s": lambda x: f"{x['per_second']:.0f}",
        "p50 (ms)": lambda x: f"{x['p50']:.1f}",
        "p99 (ms)": lambda x: f"{x['p99']:.1f}",
        "slowest (ms)": lambda x: f"{x['slowest']:.0f}",
        "lost": lambda x: x["lost"],
        "memory before (MiB)": lambda x: f"{x['memory'][0] / 2**20:.0f}",
        "after (MiB)": lambda x: f"{x['memory'][1] / 2**20:.0f}",
    }
    table = [list(columns), ["---", *["---:"] * (len(columns) - 1)]]
    table += [[str(show(x)) for show in columns.values()] for x in lines]
    return "\n".join(
        [
            "# Serving",
            "",
            f"`python {' '.join(sys.argv)}`: "
            f"{arguments.preset or f'a DeepFM of {TOKENS:,} tokens'}, "
            f"{arguments.rows} row a request, "
            f"{arguments.seconds:g} seconds for each line, behind "
            f"{WARM_UP_SECONDS} that are not counted. Clients and server share "
            f"the cores. {datetime.date.today()}, {environment['hardware']}, "
            f"{_versions()}.",
            "",
            *(f"| {' | '.join(row)} |" for row in table),
            "",
        ]
    )


def _versions() -> str:
    from importlib.metadata import version

    names = (
        *("keras", "tensorflow-cpu", "jax", "torch"),
        *("fastapi", "uvicorn", "numpy", "pyarrow"),
    )
    return ", ".join(f"{name} {version(name)}" for name in names)


def _resident_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return 1024 * int(re.search(r"VmRSS:\s+(\d+)", status)[1])


if __name__ == "__main__":
    main()
