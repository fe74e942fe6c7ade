"""TensorFlow's import without its messages; lines about errors are kept.

TensorFlow writes to file descriptor 2 from C++ before its log level can be set, so Python cannot filter it.
Standard library only: ``import unitnb`` installs this.
"""

import contextlib
import importlib.abc
import importlib.util
import logging
import os
import re
import sys
from collections.abc import Iterator

# Absl's and TensorFlow's lines of information and warning: "I0000 00:00:...", "2026-01-01 ...: W tensorflow".
CHATTER = re.compile(
    rb"(WARNING: All log messages before absl|[IW]\d{4} \d\d:\d\d:|\d{4}-\d\d-\d\d .*: [IW] )"
)


@contextlib.contextmanager
def without_chatter() -> Iterator[None]:
    """What is written to file descriptor 2 inside comes out at the end, without lines of ``CHATTER``."""
    try:
        before = os.dup(2)
    except OSError:  # a process without stderr
        yield
        return
    import tempfile

    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(before, 2)
            os.close(before)
            said.seek(0)
            for line in said:
                if not CHATTER.match(line):
                    os.write(2, line)


class QuietImport(importlib.abc.MetaPathFinder):
    """Lets TensorFlow be imported once without chatter."""

    def find_spec(self, name, path=None, target=None):
        """None for every other module: the finders behind this one find it."""
        if name != "tensorflow":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec and spec.loader:
            vars(spec.loader)["exec_module"] = _quietly(spec.loader.exec_module)
        return spec


def _quietly(execute):
    def execute_quietly(module):
        with without_chatter():
            execute(module)
        logging.getLogger("tensorflow").setLevel(logging.ERROR)  # in a kernel its warnings go to stdout

    return execute_quietly


def quieten_tensorflow() -> None:
    """Install ``QuietImport`` once, unless TensorFlow is there already."""
    there = "tensorflow" in sys.modules or any(isinstance(finder, QuietImport) for finder in sys.meta_path)
    if not there:
        sys.meta_path.insert(0, QuietImport())
