"""Makes graphs of ONNX node by node."""

from typing import TYPE_CHECKING
from typing import Any

import numpy as np

if TYPE_CHECKING:
    import onnx


class OnnxGraph:
    """The nodes and constants of a graph in the making.

    Args:
        prefix: string that all names but those of the inputs begin with.
    """

    def __init__(self, prefix: str):
        self.prefix = prefix
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, operation: str, *inputs: str, **attributes: Any) -> str:
        """Adds a node, and returns the name of its output."""
        return self.add_several(operation, 1, *inputs, **attributes)[0]

    def add_several(
        self, operation: str, count: int, *inputs: str, **attributes: Any
    ) -> list[str]:
        """Adds a node, and returns the names of its outputs."""
        import onnx

        place = len(self.nodes)
        names = [f"{self.prefix}node/{place}/{i}" for i in range(count)]
        node = onnx.helper.make_node(
            operation,
            inputs,
            names,
            name=f"{self.prefix}node/{place}",
            **attributes,
        )
        self.nodes.append(node)
        return names

    def constant(self, value: Any, dtype: str = "int64") -> str:
        """Adds a constant, and returns its name."""
        import onnx

        name = f"{self.prefix}constant/{len(self.constants)}"
        array = np.asarray(value, dtype)
        self.constants.append(onnx.numpy_helper.from_array(array, name))
        return name

    def end(self, name: str, tensor: str) -> None:
        """Makes a tensor an output."""
        self.add("Identity", tensor)
        self.nodes[-1].output[:] = [self.name_of_output(name)]

    def name_of_output(self, name: str) -> str:
        """Returns what an output is called in the graph."""
        return f"{self.prefix}output/{name}"
