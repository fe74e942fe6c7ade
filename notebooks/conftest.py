"""How pytest --nbval runs the notebooks: figures go to build/, and stderr (TensorFlow's log) is not compared."""

import os
from pathlib import Path

os.environ.setdefault("UNITNB_FIGURES", str(Path(__file__).parents[1] / "build" / "nbval-figures"))


def pytest_collectstart(collector):
    if getattr(collector, "skip_compare", None) is not None:
        collector.skip_compare += ("stderr",)
