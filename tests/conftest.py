"""What several test files need: real photographs, where there are any."""

import tarfile
from pathlib import Path

import numpy as np
import pytest

from unitnb.profiles import project_root


@pytest.fixture(scope="session")
def photographs():
    """Photographs of CIFAR-10 (40, 32, 32, 3) uint8, from build/data/cifar10 or from the archive that developers have beside it."""
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
