"""What all tests share: Hypothesis without a deadline, the order of the files, photographs."""

import contextlib
import os
import tarfile
from pathlib import Path

import hypothesis
import numpy as np
import pytest

from unitnb.profiles import project_root

# An example's time depends on the machine's load. In CI the examples are the same in each run.
hypothesis.settings.register_profile("unitnb", deadline=None)
hypothesis.settings.register_profile("unitnb-ci", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("unitnb-ci" if os.environ.get("CI") else "unitnb")

collect_ignore_glob = ["benchmarks/*", "mutants.py"]  # scripts: --doctest-modules would import them

# The files that take longest start first, so that all workers end together.
LONGEST = """
    test_sweep.py 07_simplification.ipynb 06_controls.ipynb test_removal.py test_notebooks.py
    04_stability.ipynb 05_roles.ipynb test_controls.py test_ablation.py test_any_model.py test_topology.py
    test_training.py test_own_model.py test_device.py test_simplify.py 03_ablation.ipynb 01_method.ipynb
    02_training.ipynb test_pretrained.py test_feeds.py test_flow.py test_split.py test_site.py
    test_explorer.py test_imagenette_profile.py test_hostile.py explore.ipynb test_streaming.py
    test_equivalence.py
""".split()


def pytest_collection_modifyitems(items):
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))


@pytest.fixture(scope="session")
def photographs():
    """Photographs of CIFAR-10 (40, 32, 32, 3) uint8, from build/data/cifar10 or the archive beside it."""
    from PIL import Image

    folder = project_root() / "build" / "data" / "cifar10" / "train" / "automobile"
    archive = Path(__file__).resolve().parents[2] / "shared" / "data" / "cifar10-images.tar.gz"
    if folder.is_dir():
        files = sorted(folder.glob("*.jpg"))[:40]
        return np.stack([np.asarray(Image.open(file)) for file in files])
    if not archive.exists():
        pytest.skip(f"no photographs: neither {folder} nor {archive} is there")
    with tarfile.open(archive) as members:
        pictures = (member for member in members if member.name.endswith(".jpg"))
        return np.stack(
            [
                np.asarray(Image.open(members.extractfile(member)))
                for member, _ in zip(pictures, range(40), strict=False)
            ]
        )


@pytest.fixture
def interrupted_after(monkeypatch):
    """A block in which training is interrupted once the checkpoint of an epoch is written."""
    from unitnb.networks import training

    checkpoint = training._checkpoint

    @contextlib.contextmanager
    def block(epoch):
        def interrupted(network, work, rows, head):
            checkpoint(network, work, rows, head)
            if rows[-1]["epoch"] == epoch:
                raise KeyboardInterrupt

        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(training, "_checkpoint", interrupted)
            yield

    return block
