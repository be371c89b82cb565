import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

# `torch.load` raises these for a file that it does not accept.
DAMAGED = (
    pickle.UnpicklingError,
    RuntimeError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AssertionError,
)


class StateDict:
    """The tensors of a PyTorch checkpoint, each of which must be taken once.

    It records what an import has read, so that no weight of the original is
    dropped silently.

    Args:
        path: path of the file; messages name it.
        tensors: mapping from the names of the tensors to NumPy arrays.

    Example:

    ```python
    state = StateDict.read("DeepFM.model")
    kernel = state.take("mlp.mlp.0.weight", (64, None))
    state.check_all_taken()
    ```
    """

    def __init__(
        self, path: str | os.PathLike, tensors: Mapping[str, np.ndarray]
    ) -> None:
        self.path = Path(path)
        self._left = dict(tensors)
        self._names = sorted(tensors)

    @classmethod
    def read(cls, path: str | os.PathLike) -> "StateDict":
        """Reads a file that `torch.save(model.state_dict(), path)` wrote.

        Raises:
            FileNotFoundError: if there is no such file.
            ImportError: if PyTorch is not installed.
            ValueError: if the file holds anything but named tensors of real
                numbers. No code that a file brings along is run.
        """
        path = Path(path)
        if not path.is_file():
            raise FileNotFoundError(
                "`path` must be a file that `torch.save(model.state_dict(), "
                f"path)` wrote. Received: path={str(path)!r}"
            )
        content = _load(path)
        if not isinstance(content, Mapping) or not content:
            raise ValueError(
                f"{path}: must hold a state dict, a mapping from names to "
                f"tensors. Received: a {type(content).__name__}"
            )
        return cls(
            path, {name: _array(path, name, t) for name, t in content.items()}
        )

    def take(self, name: str, shape: tuple[int | None, ...]) -> np.ndarray:
        """Returns a tensor, which then counts as taken.

        Args:
            name: string.
            shape: tuple of the sizes that the tensor must have, `None` for
                any.

        Raises:
            ValueError: if there is none of that name and shape.
        """
        self._check_name(name)
        received = self._left[name].shape
        if len(received) != len(shape) or any(
            size not in (None, r)
            for size, r in zip(shape, received, strict=True)
        ):
            raise ValueError(
                f"{self.path}: `{name}` must have shape "
                f"{_shape_text(shape)}. Received: shape {received}"
            )
        return self._left.pop(name)

    def shape(self, name: str) -> tuple[int, ...]:
        """Returns the shape of a tensor that is not taken yet.

        Raises:
            ValueError: if there is none of that name.
        """
        self._check_name(name)
        return self._left[name].shape

    def has(self, name: str) -> bool:
        """Returns whether there is a tensor of that name, not taken yet."""
        return name in self._left

    def drop_integers(self) -> None:
        """Drops what PyTorch keeps beside weights: places and counts."""
        self._left = {
            name: tensor
            for name, tensor in self._left.items()
            if np.issubdtype(tensor.dtype, np.floating)
        }

    def drop(self, *prefixes: str) -> None:
        """Drops the tensors that an original has, but never uses.

        Args:
            *prefixes: strings, with which their names begin.
        """
        self._left = {
            name: tensor
            for name, tensor in self._left.items()
            if not name.startswith(prefixes)
        }

    def numbers(self, prefix: str) -> list[int]:
        """Returns the sorted numbers `i` of the names `{prefix}.{i}…`."""
        found = set()
        for name in self._left:
            if name.startswith(f"{prefix}."):
                number = name.removeprefix(f"{prefix}.").partition(".")[0]
                if number.isdecimal():
                    found.add(int(number))
        return sorted(found)

    def check_all_taken(self) -> None:
        """Raises a `ValueError` that lists the tensors not taken, if any."""
        if self._left:
            raise ValueError(
                f"{self.path}: must hold the weights of the network, no "
                "others: the zoo has no place for these, so either `model`, "
                "`config` or `features` are not those of the checkpoint, or "
                "the network can't be imported. Received: "
                f"{sorted(self._left)}"
            )

    def _check_name(self, name: str) -> None:
        if name not in self._left:
            raise ValueError(
                f"{self.path}: must hold `{name}`: are `model`, `config` and "
                "`features` those of the checkpoint? Received: "
                f"{self._around(name)}"
            )

    def _around(self, name: str) -> str:
        """Says what the checkpoint has where a tensor is missing."""
        if name in self._names:
            return f"one `{name}`, which is taken already"
        parts = name.split(".")
        for end in range(len(parts) - 1, -1, -1):
            start = "".join(f"{part}." for part in parts[:end])
            found = {
                each.removeprefix(start).partition(".")[0]
                for each in self._names
                if each.startswith(start)
            }
            if found:
                break
        within = f"`{start[:-1]}` with " if start else ""
        return f"{within}{sorted(found)}"


def _load(path: Path) -> Any:
    try:
        import torch
    except ImportError as error:
        raise ImportError(
            "PyTorch reads its checkpoints, whichever backend Keras has: run "
            "`pip install torch`."
        ) from error
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except DAMAGED as error:
        raise ValueError(
            f"{path}: must hold a state dict, tensors by their names; a whole "
            "model or any other object would run code of its own and is not "
            "loaded. In the original library call `torch.save("
            "model.state_dict(), path)`. Received: "
            f"{str(error).partition(chr(10))[0]}"
        ) from error


def _array(path: Path, name: Any, tensor: Any) -> np.ndarray:
    import torch

    if not (
        isinstance(name, str)
        and isinstance(tensor, torch.Tensor)
        and tensor.layout == torch.strided
    ):
        raise ValueError(
            f"{path}: must hold dense tensors by their names. "
            f"Received: {name!r}: a {type(tensor).__name__}"
        )
    # numpy() knows no bfloat16, which float32 holds exactly.
    if tensor.is_floating_point():
        tensor = tensor.to(torch.float32)
    return tensor.detach().numpy()


def _shape_text(shape: tuple[int | None, ...]) -> str:
    sizes = ["any" if size is None else str(size) for size in shape]
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"
