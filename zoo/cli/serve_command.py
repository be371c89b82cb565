import os
import signal
from typing import Annotated

import typer

from zoo.cli.address import bind
from zoo.cli.interruption import leaving_interrupts_to_library
from zoo.cli.options import Preset
from zoo.runtime.memory import keep_freed_memory


def serve(
    preset: Preset,
    host: Annotated[
        str, typer.Option(help="Address to listen at; 0.0.0.0 for all.")
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(min=0, max=65_535, help="Port; 0 takes a free one."),
    ] = 8000,
    max_rows: Annotated[
        int,
        typer.Option(
            min=1,
            help="Most rows of a request, and of those predicted together.",
        ),
    ] = 1024,
    max_bytes: Annotated[
        int, typer.Option(min=1, help="Most bytes of a request's body.")
    ] = 4_194_304,
    max_queued_rows: Annotated[
        int,
        typer.Option(
            min=1,
            help="Most rows that wait for their answers; clients whose rows "
            "would be more are told to try again.",
        ),
    ] = 8192,
    max_seconds: Annotated[
        int, typer.Option(min=1, help="Time a client has to send a body.")
    ] = 30,
) -> None:
    """Serve a model over HTTP: POST raw rows to /predict."""
    # A service is stopped by SIGTERM, which is no failure. uvicorn raises the
    # signal again once all requests are answered. Were Python shut down in
    # order, threads of XLA might crash.
    signal.signal(signal.SIGTERM, lambda number, frame: os._exit(0))
    # Fails on a port that another process has, before the model is loaded.
    listener = bind(host, port)
    from zoo.server import Limits
    from zoo.server import make_application
    from zoo.server.running import run_application
    from zoo.serving.predictor import CTRPredictor

    limits = Limits(
        max_rows=max_rows,
        max_bytes=max_bytes,
        max_queued_rows=max_queued_rows,
        max_seconds=max_seconds,
    )
    keep_freed_memory()
    predictor = CTRPredictor.from_preset(preset)
    application = make_application(predictor, preset, limits)
    with leaving_interrupts_to_library():
        run_application(
            application,
            listener,
            lambda url: print(
                f"Serving {preset} at {url} "
                '(POST {"rows": [{...}]} to /predict; /docs has the columns)',
                flush=True,
            ),
        )
