"""The instruction set that libraries of matrix products use, so that all x86-64 processors round alike.

OpenBLAS and oneDNN (which TensorFlow follows even where it is off) choose their code by the processor: losses
then differ by 1e-7 of their size, feature maps by up to 3e-6. AVX2 is what all of the last ten years have.
"""

import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

AVX2 = {"DNNL_MAX_CPU_ISA": "AVX2", "ONEDNN_MAX_CPU_ISA": "AVX2", "OPENBLAS_CORETYPE": "Haswell"}


def common_instructions() -> dict[str, str]:
    """The environment variables that choose AVX2, for processes that have not loaded NumPy yet.

    Empty where the processor has no AVX2, or may have none.
    """
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return {}
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:  # no Linux
        return {}
    return dict(AVX2) if " avx2 " in flags else {}


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """These environment variables in the block, for the processes that start in it."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
