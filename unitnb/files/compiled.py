"""Functions compiled by Numba, with their results kept on disk where a folder can be written."""

from collections.abc import Callable

import numba


def compiled(**settings) -> Callable:
    """A decorator: compile at the first call; the result is kept beside the module or in ``NUMBA_CACHE_DIR``.

    Where Numba finds no folder to write to, each process compiles anew. ``settings`` are those of
    ``numba.njit``.
    """

    def compile_function(function):
        try:
            return numba.njit(cache=True, **settings)(function)
        except RuntimeError:  # no folder
            return numba.njit(**settings)(function)

    return compile_function
