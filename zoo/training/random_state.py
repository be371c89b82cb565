"""Reads and sets the random state that Keras leaves out of weight files."""

from typing import Any

import keras


def read_random_state(model: keras.Model) -> dict[str, Any]:
    """Returns what decides a model's next random numbers, ready for JSON."""
    state: dict[str, Any] = {
        "seeds": [seed.numpy().tolist() for seed in _seeds(model)]
    }
    if keras.backend.backend() == "torch":
        import torch

        # A `Dropout` without a seed draws from PyTorch's own generators.
        state["torch"] = torch.get_rng_state().tolist()
        state["cuda"] = [
            generator.tolist() for generator in torch.cuda.get_rng_state_all()
        ]
    return state


def set_random_state(model: keras.Model, state: dict[str, Any]) -> None:
    """Sets what `read_random_state` returned, on this or another backend."""
    for seed, value in zip(_seeds(model), state["seeds"], strict=True):
        seed.assign(value)
    if keras.backend.backend() == "torch" and "torch" in state:
        import torch

        torch.set_rng_state(_bytes(state["torch"]))
        if len(state["cuda"]) == torch.cuda.device_count():
            torch.cuda.set_rng_state_all([_bytes(g) for g in state["cuda"]])


def _bytes(values: list[int]) -> Any:
    import torch

    return torch.tensor(values, dtype=torch.uint8)


def _seeds(model: keras.Model) -> list[keras.Variable]:
    others = {id(v) for v in (*model.weights, *model.metrics_variables)}
    return [v for v in model.variables if id(v) not in others]
