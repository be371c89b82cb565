"""Chooses the operations that depend on the backend Keras runs on.

`reference` defines all of them in plain `keras.ops`. They run where a backend
has no operation of its own, as on `numpy` and `openvino`. The file of a backend
replaces the operations in its `__all__` by faster ones with the same arguments
and results. It is chosen once, here, and no other one is imported.

| operation            | meaning                                | replaced by |
|----------------------|----------------------------------------|-------------|
| `look_up`            | rows of a table, and counts of its ids | all three   |
| `count_ids`          | counts of ids, as a gradient           | TensorFlow  |
| `dense_gradient`     | a sparse gradient, summed to dense     | TF, PyTorch |
| `active_ids`         | ids of a sparse gradient's rows        | TensorFlow  |
| `row_gradient`       | a sparse gradient, each id once        | TF, PyTorch |
| `add_gradient`       | a batch, added to a table's sums       | TF, PyTorch |
| `clear_sums`         | zeros again, after a table's step      | TF, PyTorch |
| `summed_rows`        | the rows that were added               | TF, PyTorch |
| `move_average`       | a moving average of a weight           | TF, PyTorch |
| `run_if`             | a part of a step, on a condition       | JAX         |
| `read_rows`          | some rows of a variable                | TensorFlow  |
| `write_rows`         | new values of those rows               | TF, PyTorch |
| `row_norm`           | norm of each row                       | JAX         |
| `clip_rows`          | l2 and clip, by any rule               | none        |
| `clip_active_rows`   | l2 and clip, by a rule of active rows  | all three   |
| `update_active_rows` | an update of the active rows           | JAX         |
| `adam`               | Adam of any weight                     | PyTorch     |
| `table_adam`         | Adam of a table                        | all three   |
| `compiled`           | an update, compiled                    | TensorFlow  |
| `state_scope`        | where to create variables              | TensorFlow  |
| `is_alone`           | whether one device has the whole batch | TF, PyTorch |
| `sum_over_replicas`  | counts of all devices                  | TF, PyTorch |
| `sharded_rows`       | rows of a table that devices share     | JAX         |
| `assign_rows`        | those rows, as they were saved         | JAX         |
| `check_replicas`     | an error for impossible settings       | TensorFlow  |
"""

import keras

# The `__all__` of each file says which names a star brings.
from keras_cowclip.backend.reference import *  # noqa: F403

if keras.backend.backend() == "tensorflow":
    from keras_cowclip.backend.tensorflow import *  # noqa: F403
elif keras.backend.backend() == "jax":
    from keras_cowclip.backend.jax import *  # noqa: F403
elif keras.backend.backend() == "torch":
    from keras_cowclip.backend.torch import *  # noqa: F403
