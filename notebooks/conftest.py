"""How pytest --nbval runs the notebooks: figures go to build/, stderr (TensorFlow's log) is not compared."""

import os
from pathlib import Path

import pytest

from unitnb.files.processor import common_arithmetic

collect_ignore_glob = ["*.py"]  # a pair's sources: --doctest-modules would import and so run them
FIGURES = str(Path(__file__).parents[1] / "build" / "nbval-figures")


def pytest_collectstart(collector):
    if getattr(collector, "skip_compare", None) is not None:
        collector.skip_compare += ("stderr",)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item):
    """Start a notebook's kernel with its own folder of figures. Tests of the same worker do not see the variable."""
    with pytest.MonkeyPatch.context() as patch:
        if "UNITNB_FIGURES" not in os.environ:
            patch.setenv("UNITNB_FIGURES", FIGURES)
        for name, value in common_arithmetic().items():
            patch.setenv(name, value)
        return (yield)
