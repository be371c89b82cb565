"""Answers requests with the probabilities of their rows."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras
import numpy as np
from fastapi import FastAPI
from fastapi import Request
from fastapi.responses import JSONResponse

import keras_cowclip
from zoo.checks import check_instance
from zoo.encoding.encoder import ClickEncoder
from zoo.registry import is_network
from zoo.registry import network_name
from zoo.server.body import read_body
from zoo.server.json_rows import read_rows
from zoo.server.limits import Limits
from zoo.server.micro_batches import Inputs
from zoo.server.micro_batches import MicroBatches
from zoo.server.micro_batches import Scores
from zoo.server.queued_rows import QueuedRows
from zoo.server.refusal import Refusal
from zoo.server.row_schema import body_schema
from zoo.server.row_schema import example_row
from zoo.serving.predictor import CTRPredictor

# Reading JSON and encoding hold Python's lock most of the time. A second thread
# would compete for it: 16 clients then get 30 % fewer answers a second.
_ENCODERS = 1
_ERRORS = {
    400: "The body is not JSON in UTF-8.",
    408: "The body did not arrive in time.",
    413: "The body has too many bytes or rows.",
    415: "The body is compressed.",
    422: "A row breaks a rule; the message names column and row.",
    503: "Too many rows wait; try again after `Retry-After` seconds.",
}


def make_application(
    predictor: CTRPredictor,
    preset: str | None = None,
    limits: Limits | None = None,
) -> FastAPI:
    """Makes the ASGI application of a predictor, and warms the predictor up.

    `POST /predict` takes `{"rows": [{...}, ...]}`, or `{"rows": {...}}` for one
    row, and answers `{"probabilities": [...]}` in their order; with several
    labels it is an object of such lists by label. A row has a value for each
    column of the encoder, `null` if it is missing. `GET /health` says what is
    served, and `/docs` describes both.

    Concurrent requests are predicted together. Each request is encoded alone,
    so that a bad one fails alone.

    Args:
        predictor: `zoo.CTRPredictor`.
        preset: string, what `/health` calls the preset. Defaults to `None`.
        limits: `zoo.server.Limits`. Defaults to `None`, its defaults.

    Returns:
        An application of FastAPI, for `uvicorn` or another server.

    Raises:
        ValueError: if an argument is of another type.

    Example:

    ```python
    import zoo.server

    predictor = zoo.CTRPredictor.from_preset("deepfm_synthetic")
    application = zoo.server.make_application(predictor)
    ```
    """
    check_instance("predictor", predictor, CTRPredictor)
    limits = Limits() if limits is None else limits
    check_instance("limits", limits, Limits)
    predictor.warm_up(limits.max_rows)
    service = _Service(predictor, limits)
    model = predictor.model
    class_name = type(model).__name__
    application = FastAPI(
        title=f"{preset or class_name}: probabilities of raw rows",
        version=keras_cowclip.__version__,
    )

    @application.post("/predict", **_description(predictor.encoder))
    async def predict(request: Request) -> JSONResponse:
        """Returns the probability of each row, in their order."""
        return JSONResponse({"probabilities": await service.answer(request)})

    @application.get("/health")
    async def health() -> dict[str, Any]:
        """Describes what is served."""
        return {
            "status": "ok",
            "preset": preset,
            "network": network_name(model) if is_network(model) else class_name,
            "backend": keras.backend.backend(),
            "version": keras_cowclip.__version__,
            "rows_served": service.rows_served,
        }

    return application


def _description(encoder: ClickEncoder) -> dict[str, Any]:
    """Describes `/predict` for the page of the API."""
    content = {
        "schema": body_schema(encoder),
        "example": {"rows": [example_row(encoder)]},
    }
    body = {"required": True, "content": {"application/json": content}}
    return {
        "openapi_extra": {"requestBody": body},
        "responses": {
            status: {"description": text} for status, text in _ERRORS.items()
        },
    }


class _Service:
    """Reads, encodes and predicts the rows of each request."""

    def __init__(self, predictor: CTRPredictor, limits: Limits):
        self.rows_served = 0
        self._encoder = predictor.encoder
        self._labels = predictor.encoder.schema.labels
        self._limits = limits
        self._queued = QueuedRows(limits.max_queued_rows)
        self._threads = ThreadPoolExecutor(_ENCODERS, "encode")
        self._batches = MicroBatches(predictor.predict_encoded, limits.max_rows)

    async def answer(self, request: Request) -> Any:
        in_thread = asyncio.get_running_loop().run_in_executor
        # A request that is not read yet counts as one row.
        with self._queued.hold(1):
            body = await read_body(request, self._limits)
            rows = await in_thread(
                self._threads, read_rows, body, self._limits.max_rows
            )
            if not rows:
                return _as_json(self._no_scores())
            with self._queued.hold(len(rows) - 1):
                inputs = await in_thread(self._threads, self._encode, rows)
                scores = await self._batches.predict(inputs)
        answer = _as_json(scores)
        self.rows_served += len(rows)
        return answer

    def _encode(self, rows: list[dict[str, Any]]) -> Inputs:
        try:
            return self._encoder.encode(rows)
        except ValueError as error:
            raise Refusal(422, str(error)) from None

    def _no_scores(self) -> Scores:
        empty: np.ndarray = np.empty(0, "float32")
        if len(self._labels) == 1:
            return empty
        return dict.fromkeys(self._labels, empty)


def _as_json(scores: Scores) -> Any:
    if isinstance(scores, dict):
        return {label: _as_json(column) for label, column in scores.items()}
    infinite = np.flatnonzero(~np.isfinite(scores))
    # JSON has no NaN.
    if len(infinite):
        row = infinite[0]
        raise Refusal(
            422,
            "`rows` must hold numbers that the network can compute with, and "
            f"row {row} does not. Received: probability {scores[row]}",
        )
    return scores.tolist()
