from dataclasses import dataclass
from dataclasses import field
from typing import Any


@dataclass
class TrainingState:
    """The progress of a training run, apart from its weights.

    Attributes:
        epoch: integer from 0. The epoch that is under way or comes next.
        step: integer. The number of its batches that are done.
        seconds: float. Time spent in training, validation left out.
        history: dict. Per name, the values of all finished epochs.
        metrics: list of floats. The variables of the model's metrics after
            `step` batches.
        clipped_shares: list of floats, one for each of those batches.
        clipped_curve: list of floats. The clipped share over the finished
            epochs, up to 20 means an epoch.
        random_state: dict, see `zoo.training.random_state`.
        resumed_at: list of `[epoch, step]`, one for each time the run was
            broken off and resumed.
        stopped_at: `[epoch, step]`, where a callback ended the run, or `None`.
            The step is not 0 where that was within an epoch, which counts as
            one in `history`.
    """

    epoch: int = 0
    step: int = 0
    seconds: float = 0.0
    history: dict[str, list[float]] = field(default_factory=dict)
    metrics: list[float] = field(default_factory=list)
    clipped_shares: list[float] = field(default_factory=list)
    clipped_curve: list[float] = field(default_factory=list)
    random_state: dict[str, Any] = field(default_factory=dict)
    resumed_at: list[list[int]] = field(default_factory=list)
    stopped_at: list[int] | None = None
