"""Records what PyTorch copies from a GPU to the host."""

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class HostCopies(TorchDispatchMode):
    """Lists the copies of the operators that run in its scope.

    Attributes:
        bytes: list of integers, the size of every tensor that came to the
            host from a GPU. A single number that Python reads does not count.
    """

    def __init__(self):
        super().__init__()
        self.bytes = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        results = function(*args, **(kwargs or {}))
        if any(is_on_gpu(leaf) for leaf in tree_leaves((args, kwargs))):
            self.bytes += [
                leaf.numel() * leaf.itemsize
                for leaf in tree_leaves(results)
                if isinstance(leaf, Tensor) and leaf.device.type == "cpu"
            ]
        return results


def is_on_gpu(leaf):
    return isinstance(leaf, Tensor) and leaf.device.type not in ("cpu", "meta")
