from typing import Any


class TableSettings:
    """Gives the optimizer's attributes as they are for its tables.

    Betas, epsilon and the number of steps can differ from the dense weights'.

    Args:
        optimizer: `CowClip`.
    """

    def __init__(self, optimizer: Any) -> None:
        self._optimizer = optimizer

    def __getattr__(self, name: str) -> Any:
        if name == "_optimizer":  # Not there yet while a copy is made.
            raise AttributeError(name)
        return getattr(self._optimizer, name)

    @property
    def beta_1(self) -> float:
        return _first(self._optimizer.embedding_beta_1, self._optimizer.beta_1)

    @property
    def beta_2(self) -> float:
        return _first(self._optimizer.embedding_beta_2, self._optimizer.beta_2)

    @property
    def epsilon(self) -> float:
        return _first(
            self._optimizer.embedding_epsilon, self._optimizer.epsilon
        )

    @property
    def iterations(self) -> Any:
        """The number of steps that the tables have taken."""
        steps = self._optimizer.embedding_accumulation_steps
        dense = self.dense_iterations
        return dense if steps == 1 else (dense + 1) // steps - 1

    @property
    def dense_iterations(self) -> Any:
        """The number of steps that the dense weights have taken."""
        return self._optimizer.iterations


def _first(own: float | None, other: float) -> float:
    return other if own is None else own
