import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

import numpy as np

Inputs = dict[str, np.ndarray]
Scores: TypeAlias = np.ndarray | dict[str, np.ndarray]


class MicroBatches:
    """Predicts the rows of concurrent requests together.

    One thread predicts. Requests that come meanwhile wait, and are then joined
    to batches. A request that finds the thread idle does not wait for others.
    All else happens in the event loop, so that nothing needs a lock.

    Args:
        predict: function from the inputs of a network to the scores of their
            rows: an array, or a dict of such by label.
        max_rows: integer. The most rows of a batch that has several requests.
    """

    def __init__(self, predict: Callable[[Inputs], Scores], max_rows: int):
        self._predict = predict
        self._max_rows = max_rows
        self._thread = ThreadPoolExecutor(1, "predict")
        self._waiting: deque[tuple[Inputs, asyncio.Future[Scores]]] = deque()
        self._work: asyncio.Task | None = None

    async def predict(self, inputs: Inputs) -> Scores:
        """Returns the scores of a request's rows.

        Args:
            inputs: dict of arrays, the encoded rows; at least one.
        """
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((inputs, future))
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._predict_waiting())
        return await future

    async def _predict_waiting(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch = self._next_batch()
            futures = [future for _, future in batch]
            try:
                parts = await loop.run_in_executor(
                    self._thread, self._predict_parts, [x for x, _ in batch]
                )
            except Exception as error:
                for future in futures:
                    if not future.done():
                        future.set_exception(error)
                continue
            for future, part in zip(futures, parts, strict=True):
                # That of a request whose server stops is cancelled.
                if not future.done():
                    future.set_result(part)

    def _next_batch(self) -> list[tuple[Inputs, asyncio.Future[Scores]]]:
        batch = [self._waiting.popleft()]
        rows = _rows(batch[0][0])
        while (
            self._waiting
            and rows + _rows(self._waiting[0][0]) <= self._max_rows
        ):
            batch.append(self._waiting.popleft())
            rows += _rows(batch[-1][0])
        return batch

    def _predict_parts(self, requests: list[Inputs]) -> list[Scores]:
        joined = {
            name: np.concatenate([inputs[name] for inputs in requests])
            for name in requests[0]
        }
        scores = self._predict(joined)
        ends = np.cumsum([_rows(inputs) for inputs in requests])[:-1]
        if isinstance(scores, dict):
            parts = {label: np.split(s, ends) for label, s in scores.items()}
            return [
                dict(zip(parts, part, strict=True))
                for part in zip(*parts.values(), strict=True)
            ]
        return np.split(scores, ends)


def _rows(inputs: Inputs) -> int:
    return len(inputs["ids"])
