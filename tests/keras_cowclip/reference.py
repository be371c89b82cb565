"""CowClip in float64 NumPy, written from the paper's rule alone.

The network, one hidden layer, backward by hand::

    h = [table[ids].flatten(), dense]
    logit = tanh(h @ kernel_1 + bias_1) @ kernel_2 + bias_2
            + sum over fields of wide[ids]
    loss = mean of the binary cross-entropy of sigmoid(logit)

An id of -1 is padding: its rows are zero, and it counts nowhere. Weights are a
dict of arrays with the keys of `initial_weights`.
"""

from dataclasses import dataclass
from dataclasses import field

import numpy as np

TABLES = ("table", "wide")


@dataclass(frozen=True)
class Hyperparameters:
    learning_rate: float = 1e-3
    embedding_learning_rate: float = 2e-3
    embedding_l2: float = 1e-3
    clip_ratio: float | None = 1.0
    clip_floor: float = 1e-5
    lazy: bool = False
    frequency_scale: float = 1.0
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7


@dataclass
class State:
    """Of a lazy table `last_steps` has each row's last one, not `momentums`."""

    weights: dict[str, np.ndarray]
    momentums: dict[str, np.ndarray] = field(default_factory=dict)
    velocities: dict[str, np.ndarray] = field(default_factory=dict)
    last_steps: dict[str, np.ndarray] = field(default_factory=dict)
    clipped_shares: list[float] = field(default_factory=list)


def initial_weights(vocabulary, embedding_dim, fields, dense, hidden, seed=0):
    """Random weights, exact in float32; row 0 of the table is all zeros."""
    rng = np.random.default_rng(seed)
    shapes = {
        "table": (vocabulary, embedding_dim),
        "wide": (vocabulary, 1),
        "kernel_1": (fields * embedding_dim + dense, hidden),
        "bias_1": (hidden,),
        "kernel_2": (hidden, 1),
        "bias_2": (1,),
    }
    scales = {"table": 0.02, "wide": 0.05}
    weights = {
        name: rng.normal(0.0, scales.get(name, 0.5), shape)
        for name, shape in shapes.items()
    }
    weights["table"][0] = 0.0
    return {name: w.astype("float32") for name, w in weights.items()}


def gradients(weights, ids, dense, labels):
    """Gradients of the mean loss of one batch."""
    batch, fields = ids.shape
    embedding_dim = weights["table"].shape[1]
    present = (ids >= 0)[:, :, None]
    embeddings = np.where(present, weights["table"][ids], 0.0)
    inputs = np.concatenate([embeddings.reshape(batch, -1), dense], axis=1)
    hidden = np.tanh(inputs @ weights["kernel_1"] + weights["bias_1"])
    logits = hidden @ weights["kernel_2"] + weights["bias_2"]
    logits = logits + np.where(present, weights["wide"][ids], 0.0).sum(axis=1)

    d_logits = (1.0 / (1.0 + np.exp(-logits)) - labels) / batch
    d_hidden = d_logits @ weights["kernel_2"].T * (1.0 - hidden**2)
    d_inputs = d_hidden @ weights["kernel_1"].T
    d_embeddings = d_inputs[:, : fields * embedding_dim]

    result = {name: np.zeros_like(w) for name, w in weights.items()}
    for row in range(batch):
        for column in range(fields):
            if ids[row, column] < 0:
                continue
            start = column * embedding_dim
            result["table"][ids[row, column]] += d_embeddings[
                row, start : start + embedding_dim
            ]
            result["wide"][ids[row, column]] += d_logits[row]
    result["kernel_1"] = inputs.T @ d_hidden
    result["bias_1"] = d_hidden.sum(axis=0)
    result["kernel_2"] = hidden.T @ d_logits
    result["bias_2"] = d_logits.sum(axis=0)
    return result


def clip_rows(gradient, table, counts, ratio, floor):
    """Returns the clipped gradient and which rows the clip shortened."""
    clipped = gradient.copy()
    shortened = np.zeros(len(table), dtype=bool)
    for row in range(len(table)):
        occurrences = counts[row] if counts[row] > 0 else 1
        limit = occurrences * max(ratio * np.linalg.norm(table[row]), floor)
        length = np.linalg.norm(gradient[row])
        if length > limit:
            clipped[row] = gradient[row] * (limit / length)
            shortened[row] = True
    return clipped, shortened


def frequency_factors(mean_counts, scale):
    """The factor of each row's rate, by the mean of its counts so far."""

    def distance(occurrences):  # Of one step, at a rate of 1.
        return np.sqrt(occurrences / (1.0 + occurrences))

    factors = np.full(len(mean_counts), np.sqrt(scale))
    for row, mean in enumerate(mean_counts):
        if mean > 0:
            factors[row] = scale * distance(mean / scale) / distance(mean)
    return factors


def adam(weight, momentum, velocity, gradient, rate, step, hyper):
    momentum = hyper.beta_1 * momentum + (1 - hyper.beta_1) * gradient
    velocity = hyper.beta_2 * velocity + (1 - hyper.beta_2) * gradient**2
    correction = np.sqrt(1 - hyper.beta_2**step) / (1 - hyper.beta_1**step)
    weight = weight - rate * correction * momentum / (
        np.sqrt(velocity) + hyper.epsilon
    )
    return weight, momentum, velocity


def lazy_rest(table, velocity, missed_steps, rate, hyper):
    """Rows and their velocity after steps in which they have no gradient."""
    table, velocity = table.copy(), velocity.copy()
    for row, missed in enumerate(missed_steps):
        pull = 2.0 * hyper.embedding_l2 * table[row]
        kept = hyper.beta_2 ** (missed / 2)
        root = np.sqrt(kept * velocity[row] + (1 - kept) * pull**2)
        shrinkage = 2.0 * hyper.embedding_l2 / (root + hyper.epsilon)
        table[row] *= np.exp(-missed * rate * shrinkage)
        pull = 2.0 * hyper.embedding_l2 * table[row]
        kept = hyper.beta_2**missed
        velocity[row] = kept * velocity[row] + (1 - kept) * pull**2
    return table, velocity


def train(weights, batches, hyper):
    """Trains on `batches` of `(ids, dense, labels)`, one step each."""
    weights = {name: w.astype("float64") for name, w in weights.items()}
    state = State(
        weights,
        momentums={
            name: np.zeros_like(w)
            for name, w in weights.items()
            if not (hyper.lazy and name in TABLES)
        },
        velocities={name: np.zeros_like(w) for name, w in weights.items()},
        last_steps={
            name: np.zeros(len(weights[name])) for name in TABLES if hyper.lazy
        },
    )
    total_counts = np.zeros(len(weights["table"]))
    for step, (ids, dense, labels) in enumerate(batches, start=1):
        grads = gradients(
            state.weights,
            ids,
            dense.astype("float64"),
            labels.astype("float64"),
        )
        counts = np.bincount(ids[ids >= 0], minlength=len(weights["table"]))
        shortened = np.zeros(len(counts), dtype=bool)
        lazy_rate = hyper.embedding_learning_rate * np.sqrt(
            1 - hyper.beta_2**step
        )
        tables = {name: state.weights[name] for name in TABLES}
        velocities = {name: state.velocities[name] for name in TABLES}
        for name in TABLES:
            if hyper.lazy:
                tables[name], velocities[name] = lazy_rest(
                    tables[name],
                    velocities[name],
                    step - 1 - state.last_steps[name],
                    lazy_rate,
                    hyper,
                )
            grads[name] = grads[name] + 2.0 * hyper.embedding_l2 * tables[name]
        if hyper.clip_ratio is not None:
            grads["table"], shortened = clip_rows(
                grads["table"],
                tables["table"],
                counts,
                hyper.clip_ratio,
                hyper.clip_floor,
            )
        total_counts += counts
        factors = frequency_factors(total_counts / step, hyper.frequency_scale)
        present = counts > 0
        state.clipped_shares.append(
            np.sum(shortened & present) / np.sum(present)
        )
        for name, gradient in grads.items():
            if name in TABLES and hyper.lazy:
                velocity = (
                    hyper.beta_2 * velocities[name]
                    + (1 - hyper.beta_2) * gradient**2
                )
                moved = tables[name] - lazy_rate * gradient / (
                    np.sqrt(velocity) + hyper.epsilon
                )
                state.weights[name][present] = moved[present]
                state.velocities[name][present] = velocity[present]
                state.last_steps[name][present] = step
                continue
            rate = hyper.learning_rate
            if name in TABLES:
                rate = hyper.embedding_learning_rate * factors[:, None]
            (
                state.weights[name],
                state.momentums[name],
                state.velocities[name],
            ) = adam(
                state.weights[name],
                state.momentums[name],
                state.velocities[name],
                gradient,
                rate,
                step,
                hyper,
            )
    return state
