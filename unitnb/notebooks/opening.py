"""What `make figures` says at its start and as each notebook ends.

Standard library only at import: make calls ``python -m unitnb.notebooks.opening`` before the first notebook.
"""

import os
import sys
from pathlib import Path

from .rules import sources

COUNT = (
    "UNITNB_COUNT"  # the file that make names: how many notebooks it runs, then a line for each that ended
)
MINUTES = {  # on two cores
    "shapes": 4,
    "cifar10": 3,
    "imagenette": 20,
    "imagenette-vgg-block": 5,
    "imagenet-trial": 30,
    "imagenet": 600,
}


def opening(number: int, jobs: int, profile: str) -> str:
    """How many notebooks are run, how many at a time, and about how long that takes where it is known.

    >>> opening(1, 2, "elsewhere")
    '1 notebook, elsewhere'
    """
    words = [f"{number} notebook{'s' * (number > 1)}"]
    words += [f"{min(number, jobs)} at a time"] if min(number, jobs) > 1 else []
    words += [_duration(number, profile)] if profile in MINUTES else [profile]
    return ", ".join(words)


def _duration(number, profile):
    minutes = MINUTES[profile] * number / len(sources())
    if minutes > 90:
        return f"about {minutes / 60:.0f} hours"
    return f"about {minutes:.0f} minutes" if minutes >= 1.5 else "about a minute"


def ended(notebook: str, seconds: float, needed: str = "") -> str:
    """The line of a notebook that has ended, with its place among those that make runs.

    ``needed`` is what it lacks, if it could not measure (see ``run.run``).
    """
    words = f"{_place()}{notebook} {seconds:.0f} s"
    return f"{words}; not measured: {needed}" if needed else words


def _place() -> str:
    """``[3/7] `` inside ``make figures``, else nothing."""
    from filelock import FileLock

    file = Path(os.environ.get(COUNT, ""))
    if not file.is_file():
        return ""
    with FileLock(file.with_suffix(".lock")):
        lines = [*file.read_text(encoding="utf-8").split(), "ended"]
        file.write_text("\n".join(lines), encoding="utf-8")
    return f"[{len(lines) - 1}/{lines[0]}] "


def main(number: str, jobs: str, profile: str, count: str) -> None:
    """Start the file that counts the notebooks, and print the first line."""
    try:
        Path(count).parent.mkdir(parents=True, exist_ok=True)
        Path(count).write_text(number, encoding="utf-8")
    except OSError as error:
        sys.exit(f"unitnb: {count} cannot be written ({error.strerror}); work in a folder of your own")
    print(opening(int(number), int(jobs), profile), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
