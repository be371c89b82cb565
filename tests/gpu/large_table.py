"""Takes a few steps with a large table; prints JSON.

    KERAS_BACKEND=jax python -m tests.gpu.large_table 10000000 131072 10 400

The arguments are ids, rows a step, embedding dimension and hidden units.
"""

import json
import sys

import numpy as np

from zoo.runtime.accelerator import accelerator_name
from zoo.runtime.accelerator import peak_memory

from . import clicks
from .sizes import ON_CPU


def main(num_ids, batch_size, embedding_dim, *hidden_units):
    sizes = ON_CPU._replace(
        num_ids=num_ids,
        batch_size=batch_size,
        steps=4,
        embedding_dim=embedding_dim,
        hidden_units=hidden_units,
    )
    small = sizes._replace(num_ids=1000)
    clicks.fit(clicks.compiled(small), small)
    # On a CPU all of the program counts: take off what a small table takes.
    before = 0 if accelerator_name() else peak_memory()
    model = clicks.compiled(sizes)
    losses = clicks.fit(model, sizes, epochs=2)
    tables = [v for v in model.trainable_variables if hasattr(v, "cowclip")]
    table_bytes = 4 * sum(int(np.prod(table.shape)) for table in tables)
    report = {
        "losses": losses,
        "table_bytes": table_bytes,
        "count_bytes": 4 * num_ids * len(tables),
        "peak_bytes": peak_memory() - before,
        "accelerator": accelerator_name(),
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
