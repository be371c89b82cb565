"""Says where 16-bit training is slower than float32."""

import platform
import sys
import warnings
from pathlib import Path

from zoo.runtime.accelerator import accelerator_name

_CPUINFO = Path("/proc/cpuinfo")
_FLAGS = {
    "x86_64": ("avx512_bf16", "amx_bf16"),
    "aarch64": ("bf16",),
}


class SlowBFloat16Warning(UserWarning):
    """The processor has no instructions for 16-bit layers."""


def warn_of_slow_bfloat16(dtype: str | None) -> None:
    """Warns if a CPU has no instructions for the dtype policy of a model.

    On other systems than Linux the instructions are not known, so that it does
    not warn.

    Args:
        dtype: string, the name of a dtype policy of Keras, or `None`.

    Warns:
        SlowBFloat16Warning: for `"bfloat16"` and `"mixed_bfloat16"` on a CPU
            without instructions for them.

    Example:

    >>> warn_of_slow_bfloat16("float32")
    """
    if dtype not in ("bfloat16", "mixed_bfloat16"):
        return
    wanted = _FLAGS.get(platform.machine())
    if wanted is None or accelerator_name() is not None:
        return
    flags = _processor_flags()
    if flags is not None and not flags & {*wanted}:
        warnings.warn(
            "This processor computes in bfloat16 by way of float32, for it has "
            f"none of the instructions {' and '.join(wanted)}: training with "
            "`dtype='float32'` will be faster here. "
            f"Received: dtype={dtype!r}",
            SlowBFloat16Warning,
            stacklevel=2,
        )


def _processor_flags() -> set[str] | None:
    """Returns Linux' names of the processor's instructions, if known."""
    if not sys.platform.startswith("linux") or not _CPUINFO.exists():
        return None
    for line in _CPUINFO.read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("flags", "Features"):
            return set(value.split())
    return None
