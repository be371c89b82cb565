import platform

import keras
import pytest

import zoo
from zoo.datasets import synthetic
from zoo.runtime import bfloat16
from zoo.runtime.bfloat16 import SlowBFloat16Warning
from zoo.runtime.bfloat16 import warn_of_slow_bfloat16


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Makes this a machine of another processor, without a GPU."""

    def machine(architecture, cpuinfo, gpu=None):
        (tmp_path / "cpuinfo").write_text(cpuinfo)
        monkeypatch.setattr(bfloat16, "_CPUINFO", tmp_path / "cpuinfo")
        monkeypatch.setattr(bfloat16.sys, "platform", "linux")
        monkeypatch.setattr(platform, "machine", lambda: architecture)
        monkeypatch.setattr(bfloat16, "accelerator_name", lambda: gpu)

    return machine


SLOW = [
    ("x86_64", "model name : old\nflags\t\t: sse avx2\n"),
    ("x86_64", "flags : avx512f avx512_bf16x\n"),
    ("aarch64", "Features\t: fp asimd\n"),
]
FAST = [
    ("x86_64", "flags\t\t: avx2 avx512_bf16 sse\n"),
    ("x86_64", "flags : amx_bf16\n"),
    ("aarch64", "Features\t: asimd bf16\n"),
    # Nothing is known of these.
    ("x86_64", "model name : old\n"),
    ("riscv64", "flags : none\n"),
]


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "bfloat16"])
@pytest.mark.parametrize("architecture, cpuinfo", SLOW)
def test_a_processor_without_the_instructions(
    machine, architecture, cpuinfo, dtype
):
    machine(architecture, cpuinfo)
    with pytest.warns(SlowBFloat16Warning) as warned:
        warn_of_slow_bfloat16(dtype)
    assert len(warned) == 1
    message = str(warned[0].message)
    assert ("avx512_bf16" if architecture == "x86_64" else "bf16") in message
    assert "`dtype='float32'` will be faster" in message
    assert message.endswith(f"Received: dtype={dtype!r}")


@pytest.mark.parametrize("architecture, cpuinfo", FAST)
def test_a_processor_with_them(machine, architecture, cpuinfo):
    machine(architecture, cpuinfo)
    warn_of_slow_bfloat16("mixed_bfloat16")


@pytest.mark.parametrize("dtype", [None, "float32", "mixed_float16"])
def test_other_policies_do_not_warn(machine, dtype):
    machine(*SLOW[0])
    warn_of_slow_bfloat16(dtype)


def test_a_gpu_does_not_warn(machine):
    machine(*SLOW[0], gpu="NVIDIA H200")
    warn_of_slow_bfloat16("mixed_bfloat16")


@pytest.mark.trained_often
@pytest.mark.parametrize("is_global", [False, True])
def test_training_warns_once(machine, tmp_path, is_global):
    machine(*SLOW[0])
    log = synthetic.make_log(rows=2000, max_vocabulary=20)
    arguments = {} if is_global else {"dtype": "mixed_bfloat16"}
    before = keras.config.dtype_policy()
    if is_global:
        keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        with pytest.warns(SlowBFloat16Warning) as warned:
            zoo.train(
                log,
                tmp_path / "run",
                epochs=1,
                hidden_units=(4,),
                verbose=0,
                **arguments,
            )
    finally:
        keras.config.set_dtype_policy(before)
    ours = [w for w in warned if w.category is SlowBFloat16Warning]
    assert len(ours) == 1
