"""The instruction set and threads of libraries of matrix products, so that all x86-64 processors round alike.

OpenBLAS and oneDNN (which TensorFlow follows even where it is off) choose their code by the processor: losses
then differ by 1e-7 of their size, feature maps by up to 3e-6. AVX2 is what all of the last ten years have.
TensorFlow's threads cut sums into parts. A training from random weights makes much of such differences.
"""

import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

AVX2 = {"DNNL_MAX_CPU_ISA": "AVX2", "ONEDNN_MAX_CPU_ISA": "AVX2", "OPENBLAS_CORETYPE": "Haswell"}


ONE_THREAD = {"TF_NUM_INTRAOP_THREADS": "1"}


def common_arithmetic() -> dict[str, str]:
    """The environment variables that choose AVX2 and one thread of TensorFlow, for processes that have not
    loaded NumPy yet.

    The thread alone where the processor has no AVX2, or may have none.
    """
    return ONE_THREAD | (AVX2 if _has_avx2() else {})


def _has_avx2() -> bool:
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return False
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:  # no Linux
        return False
    return " avx2 " in flags


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


if __name__ == "__main__":  # for env, in make lab
    print(*(f"{name}={value}" for name, value in common_arithmetic().items()))
