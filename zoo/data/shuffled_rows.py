import threading

import numpy as np

from zoo.data.rows import Rows
from zoo.data.rows import concatenated
from zoo.data.rows import map_arrays
from zoo.data.split import Split

# Rows that are read at once. Longer chunks mix less; shorter ones need more and
# smaller reads.
CHUNK_ROWS = 1024
# Rows that are permuted one by one; a multiple of the above. With 13 dense
# columns and 26 ids a window takes 174 MB, and a history of 50 takes another
# 210 MB, for it is padded there.
WINDOW_ROWS = 2**20
# Workers read on both sides of a border between windows.
WINDOWS_KEPT = 2


class ShuffledRows:
    """The rows of a split in an order that depends on seed and epoch alone.

    See `zoo.ClickBatches` for the order. Chunks are copied into a window, and
    rows taken from there: twice as fast as from their places in the files.
    Several threads may read, one at a time.

    Args:
        split: `Split`.
        seed: integer, not negative.
    """

    def __init__(self, split: Split, seed: int) -> None:
        self.split = split
        self.seed = seed
        self.chunk_rows = CHUNK_ROWS
        self.chunks_per_window = WINDOW_ROWS // CHUNK_ROWS
        self._epoch = -1
        self._windows: dict = {}
        self._buffers: list[Rows] = []
        self._lock = threading.Lock()

    def read(self, epoch: int, start: int, stop: int) -> Rows:
        """Returns a copy of the rows `start` to `stop` of an epoch's order."""
        with self._lock:
            self._set_epoch(epoch)
            pieces = []
            while start < stop:
                window = int(np.searchsorted(self._ends, start, side="right"))
                first_row = int(self._ends[window - 1]) if window else 0
                last = min(stop, int(self._ends[window]))
                pieces.append(
                    self._take(window, start - first_row, last - first_row)
                )
                start = last
        return concatenated(pieces)

    def _set_epoch(self, epoch):
        """Draws the order of chunks, and finds the last row of each window."""
        if epoch == self._epoch:
            return
        self._drop_windows(keep=0)
        count = -(-len(self.split) // self.chunk_rows)
        rows = np.full(count, self.chunk_rows)
        rows[-1] = len(self.split) - (count - 1) * self.chunk_rows
        self._chunks = np.random.default_rng([self.seed, epoch]).permutation(
            count
        )
        starts = np.arange(0, count, self.chunks_per_window)
        self._ends = np.cumsum(np.add.reduceat(rows[self._chunks], starts))
        self._epoch = epoch

    def _take(self, window, first, last):
        if window not in self._windows:
            self._load(window)
        _, rows, order = self._windows[window]
        places = order[first:last]
        return map_arrays(lambda array: array.take(places, axis=0), rows)

    def _load(self, window):
        self._drop_windows(keep=WINDOWS_KEPT - 1)
        # Filling an old buffer is faster than allocating a new one.
        if not self._buffers:
            most_rows = self.chunks_per_window * self.chunk_rows
            self._buffers.append(
                self.split.empty(min(most_rows, len(self.split)))
            )
        first = window * self.chunks_per_window
        chunks = self._chunks[first : first + self.chunks_per_window]
        rows = self.split.gather(map(self._range, chunks), self._buffers[-1])
        # Without the 1, the first window would have the seed of the epoch.
        random = np.random.default_rng([self.seed, self._epoch, window + 1])
        order = random.permutation(len(rows[1]))
        self._windows[window] = self._buffers.pop(), rows, order

    def _drop_windows(self, keep):
        while len(self._windows) > keep:
            oldest = next(iter(self._windows))
            self._buffers.append(self._windows.pop(oldest)[0])

    def _range(self, chunk):
        start = int(chunk) * self.chunk_rows
        return start, min(start + self.chunk_rows, len(self.split))

    def __getstate__(self):
        # A lock cannot be sent to another process, and windows are large.
        kept = ("split", "seed", "chunk_rows", "chunks_per_window")
        return {name: getattr(self, name) for name in kept}

    def __setstate__(self, state):
        ShuffledRows.__init__(self, state["split"], state["seed"])
        self.__dict__.update(state)
