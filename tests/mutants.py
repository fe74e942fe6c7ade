"""Do the tests notice faults? Each one of mutants.toml is made in a copy of the package: its tests must fail.

    python tests/mutants.py                    all faults; 1 is returned if more than three survive
    python tests/mutants.py --only "ddof"      those with these letters in their names

The working tree is never changed. A fault whose text is not found exactly once is an error: the code has
moved on, and the entry must follow.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
ALLOWED = 3  # survivors
SECONDS = 600  # for the tests of one fault, and for those of all before
FAILED = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", re.MULTILINE)


def faults(only=""):
    """Entries of mutants.toml whose name holds ``only``.

    Raises
    ------
    SystemExit
        If a text does not stand exactly once in its file, or no name fits.
    """
    found = tomllib.loads((HERE / "mutants.toml").read_text(encoding="utf-8"))["fault"]
    stale = [fault for fault in found if source(HERE.parent, fault).count(fault["old"]) != 1]
    if stale:
        lines = [f"  {fault['name']}: {fault['file']}: {fault['old']!r}" for fault in stale]
        raise SystemExit("\n".join(["these texts do not stand exactly once in their files:", *lines]))
    chosen = [fault for fault in found if only in fault["name"]]
    if not chosen:
        raise SystemExit(f"no fault has {only!r} in its name: {', '.join(fault['name'] for fault in found)}")
    return chosen


def source(root, fault):
    return (root / "unitnb" / fault["file"]).read_text(encoding="utf-8")


def copy_to(folder):
    """The package, its tests and their settings; what tests read beside them is linked."""
    for name in ("unitnb", "tests"):
        shutil.copytree(HERE.parent / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(HERE.parent / "pyproject.toml", folder)
    for name in ("notebooks", "figures"):
        (folder / name).symlink_to(HERE.parent / name)


def killer(root, fault):
    """Name of the test that notices the fault, or None; the copy under ``root`` is whole again afterwards."""
    path, whole = root / "unitnb" / fault["file"], source(root, fault)
    path.write_text(whole.replace(fault["old"], fault["new"]), encoding="utf-8")
    try:
        return failed_test(root, fault["tests"])
    finally:
        path.write_text(whole, encoding="utf-8")


def failed_test(root, tests):
    """The first test that fails or does not end in time, None if all pass.

    Raises
    ------
    RuntimeError
        If no test ran.
    """
    command = [sys.executable, "-m", "pytest", "-q", "-x", *tests]
    environment = {
        **os.environ,
        "PYTHONPATH": str(root),
        "UNITNB_ROOT": str(root),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    try:
        run = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, text=True, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        return f"no end after {SECONDS} s"
    if run.returncode == 0 and " passed" in run.stdout:
        return None
    if run.returncode not in (1, 2) or not (names := FAILED.findall(run.stdout)):
        raise RuntimeError(f"{' '.join(tests)}: no test ran\n{run.stdout[-2000:]}{run.stderr[-2000:]}")
    return names[0].removeprefix("tests/")


def check_whole(root, chosen):
    """Run all tests of the chosen faults on the unchanged copy, where they must pass.

    Raises
    ------
    RuntimeError
        If one fails; the text names it.
    """
    calls = {tuple(fault["tests"]) for fault in chosen}
    picked = [call for call in calls if "-k" in call]
    files = sorted({name for call in picked for name in call[: call.index("-k")]})
    names = " or ".join(sorted(f"({call[-1]})" for call in picked))
    whole = [call for call in calls if "-k" not in call] + ([(*files, "-k", names)] if picked else [])
    for call in whole:
        if failed := failed_test(root, call):
            raise RuntimeError(f"fails without a fault: {failed}")


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", help="letters of the names of the faults to make")
    chosen = faults(parser.parse_args(arguments).only)
    survivors = []
    with tempfile.TemporaryDirectory() as folder:
        copy_to(Path(folder))
        check_whole(Path(folder), chosen)
        for fault in chosen:
            killed_by = killer(Path(folder), fault)
            print(
                f"{fault['name']:<32} {fault['file']:<28} {killed_by or 'SURVIVED: ' + fault['why']}",
                flush=True,
            )
            survivors += [] if killed_by else [fault]
    print(f"{len(chosen)} faults, {len(survivors)} survive")
    return int(len(survivors) > ALLOWED)


if __name__ == "__main__":
    sys.exit(main())
