"""TensorFlow's messages at import: chatter is dropped, the rest is kept in its order."""

import os
import subprocess
import sys

from unitnb.files.quiet import without_chatter

SAID = (
    b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
    b"I0000 00:00:1795922699.052549    3953 cudart_stub.cc:31] Could not find cuda drivers\n"
    b"E0000 00:00:1795922699.052549    3953 some.cc:1] an error\n"
    b"2026-01-01 00:00:00.1: W tensorflow/core.cc:3] a warning\n"
    b"Traceback: something else\n"
)


def test_lines_of_errors_and_of_others_are_kept(capfd):
    with without_chatter():
        os.write(2, SAID)
        assert capfd.readouterr().err == ""
    os.write(2, b"after\n")
    kept = [line.split(" ")[0] for line in capfd.readouterr().err.splitlines()]
    assert kept == ["E0000", "Traceback:", "after"]


def test_importing_keras_writes_nothing():
    code = "import unitnb, keras, numpy; print(keras.ops.sum(numpy.ones(3)).numpy())"
    environment = {**os.environ, "TF_ENABLE_ONEDNN_OPTS": "1"}
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert (found.stdout.strip(), found.stderr) == ("3.0", "")
