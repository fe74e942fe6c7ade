"""What all tests share: Hypothesis without a deadline, the order of the files, photographs."""

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

# The files that take longest, with their seconds. They start first, so that all workers end together.
SECONDS = {}


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: -SECONDS.get(item.path.name, 0))


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
