"""Other frameworks in an environment of their own: `make test-tensorflow` makes it, BERTSMITH_PEERS_PYTHON names another."""

import json
import os
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PYTHON = Path(os.environ.get("BERTSMITH_PEERS_PYTHON", PROJECT / ".venv-peers/bin/python"))
SECONDS = 280  # importing TensorFlow takes up to 30 of them on a busy machine
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}


@pytest.fixture(scope="session")
def peer():
    """Runs the text of a script with arguments in the peers' interpreter; the script prints JSON on its last line, which is returned."""
    if not PYTHON.is_file():
        pytest.skip(f"there is no {PYTHON}: run `make test-tensorflow`, or name an interpreter in BERTSMITH_PEERS_PYTHON")

    def run(script, *arguments):
        command = [str(PYTHON), "-c", script, *map(str, arguments)]
        environment = os.environ | QUIET
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment, timeout=SECONDS)
        assert done.returncode == 0, done.stderr[-4000:]
        return json.loads(done.stdout.strip().splitlines()[-1])

    return run
