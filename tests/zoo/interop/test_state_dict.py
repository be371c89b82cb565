"""Refuses checkpoints with anything but tensors, and runs nothing of them."""

import os
import pickle

import numpy as np
import pytest

import zoo
from zoo.interop.state_dict import StateDict

torch = pytest.importorskip(
    "torch", reason="PyTorch is not installed: see `nox -s interop`"
)


class Malicious:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def dump(content, file):
    # The protocol of `torch.save`; `torch.load` warns of others.
    pickle.dump(content, file, protocol=2)


@pytest.mark.parametrize("writer", [torch.save, dump])
@pytest.mark.parametrize("source", ["fuxictr", "deepctr_torch"])
def test_code_in_a_checkpoint_is_not_run(writer, source, tmp_path):
    proof, path = tmp_path / "proof", tmp_path / "model.pt"
    content = {"weight": torch.zeros(2), "code": Malicious(proof)}
    with path.open("wb") as file:
        writer(content, file)
    with pytest.raises(ValueError, match=r"model\.pt.*not loaded.*Received"):
        zoo.import_checkpoint(path, source, [], "DeepFM")
    assert not proof.exists()
    # The file would have run it.
    with path.open("rb") as file:
        if writer is dump:
            pickle.load(file)
        else:
            torch.load(file, weights_only=False)
    assert proof.exists()


@pytest.mark.parametrize(
    "content", [b"", b"no checkpoint", b"PK\x03\x04 damaged", b"\x80\x02."]
)
def test_a_file_that_is_no_checkpoint_is_named(content, tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"model\.pt.*Received"):
        StateDict.read(path)


@pytest.mark.parametrize(
    "content, message",
    [
        ([torch.zeros(2)], "state dict.*Received: a list"),
        ({}, "state dict.*Received: a dict"),
        ({"epoch": 3}, "'epoch': a int"),
        ({3: torch.zeros(2)}, "3: a Tensor"),
        ({"a": torch.zeros(2).to_sparse()}, "'a': a Tensor"),
    ],
)
def test_what_is_no_state_dict_is_refused(content, message, tmp_path):
    path = tmp_path / "model.pt"
    torch.save(content, path)
    with pytest.raises(ValueError, match=rf"model\.pt.*{message}"):
        StateDict.read(path)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_weights_become_float32(dtype, tmp_path):
    weight = torch.tensor([0.5, -2.0], dtype=getattr(torch, dtype))
    torch.save({"weight": weight}, tmp_path / "model.pt")
    array = StateDict.read(tmp_path / "model.pt").take("weight", (2,))
    assert array.dtype == "float32"
    np.testing.assert_array_equal(array, [0.5, -2.0])
