"""Measures the machine's limits, and the least time of a training step."""

from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
from keras import ops
from timing import median_seconds

from zoo.runtime.accelerator import accelerator_name
from zoo.runtime.processor import num_cores

GEMM_WIDTH = 400
COPIED_FLOATS = 2**24
ROUNDS = 15


def measure_limits(
    network: keras.Model, batch_size: int, dtype: str = "float32"
) -> dict[str, float]:
    """Returns arithmetic and memory rates, and the time of a step at them.

    A step multiplies each row of the batch with each matrix once forward and
    twice backward, in `dtype`. Dense Adam writes the gradient of a table, and
    reads it, the table and two moments, of which it writes three again.
    """
    tables, matrices = [], []
    for layer in network.layers:
        is_table = isinstance(layer, keras.layers.Embedding)
        for variable in layer.trainable_variables:
            if len(variable.shape) == 2:
                size = int(np.prod(variable.shape))
                (tables if is_table else matrices).append(size)
    flop = 6 * batch_size * sum(matrices)
    table_bytes = 8 * 4 * sum(tables)
    gemm = _gemm_rate(batch_size, dtype)
    copy = _gpu_copy_rate() if accelerator_name() else _host_copy_rate()
    return {
        "gemm_gflops": gemm / 1e9,
        "copy_gb_per_second": copy / 1e9,
        "matrices_ms": 1e3 * flop / gemm,
        "tables_ms": 1e3 * table_bytes / copy,
    }


def _gemm_rate(rows: int, dtype: str) -> float:
    generator = np.random.default_rng(0)
    left, right = (
        ops.cast(generator.random((height, GEMM_WIDTH), "f4"), dtype)
        for height in (rows, GEMM_WIDTH)
    )

    def multiply():
        product = ops.matmul(left, right)
        # JAX and accelerators run asynchronously.
        ops.convert_to_numpy(ops.cast(product[:1, :1], "float32"))

    seconds = median_seconds(multiply, ROUNDS)
    return 2 * rows * GEMM_WIDTH**2 / seconds


def _gpu_copy_rate() -> float:
    """Returns the rate of the GPU's memory, by an array read and written."""
    floats = ops.ones(2**28, "float32")
    seconds = median_seconds(
        lambda: ops.convert_to_numpy((floats + 1.0)[:1]), ROUNDS
    )
    return 2 * 4 * 2**28 / seconds


def _host_copy_rate() -> float:
    """Returns the rate of the host's memory, by a thread for each core."""
    threads = num_cores()
    pieces = [
        (np.ones(COPIED_FLOATS, "f4"), np.ones(COPIED_FLOATS, "f4"))
        for _ in range(threads)
    ]
    with ThreadPoolExecutor(threads) as pool:
        seconds = median_seconds(
            lambda: list(pool.map(lambda piece: np.copyto(*piece), pieces)),
            ROUNDS,
        )
    return 2 * 4 * COPIED_FLOATS * threads / seconds
