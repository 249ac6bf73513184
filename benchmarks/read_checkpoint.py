"""Time and peak memory of reading every tensor of a 400 MB TensorFlow checkpoint: ours, checksums on, against TensorFlow's own reader.

The checkpoint is made: random weights in the shape of Google's Chinese base with its heads, 206 variables; it is in the page cache. Each
run is a process of its own, watched from outside: RssAnon every 2 ms, above what Python with numpy holds. Mapped pages of the file, which
the system may take back, do not count. `ours mapped` is `Bundle.read` of every tensor, checked and left in the mapped file; `ours ready` is
`read_tensorflow`, whose arrays are copied, turned and ready for torch; TensorFlow's is `load_checkpoint` and `get_tensor` of every name.
$BERTSMITH_PEERS_PYTHON names the interpreter that has TensorFlow. A ratio says how many times as much TensorFlow needs.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from peers import record

PEERS_PYTHON = os.environ.get("BERTSMITH_PEERS_PYTHON", str(Path(__file__).parents[1] / ".venv-peers/bin/python"))
OURS_MAPPED = """
from bertsmith.checkpoints.bundle import Bundle
{imported}
bundle = Bundle.open(Path(sys.argv[1]))
held = [bundle.read(name) for name in bundle.entries]
"""
OURS_READY = """
from bertsmith.checkpoints.google import read_tensorflow
{imported}
held = read_tensorflow(Path(sys.argv[1])).arrays
"""
THEIRS = """
import tensorflow as tf
{imported}
reader = tf.train.load_checkpoint(sys.argv[1])
held = [reader.get_tensor(name) for name in reader.get_variable_to_shape_map()]
"""
# the worker says where it is and waits, so that what it holds at that moment can be looked at
BEFORE = """
import json, sys, time
from pathlib import Path
import numpy
def tell(**said):
    print(json.dumps(said), flush=True)
    sys.stdin.readline()
tell(at="start")
begin = time.perf_counter()
"""
IMPORTED = 'after = time.perf_counter() - begin; tell(at="imported"); start = time.perf_counter()'
AFTER = 'tell(at="read", imported=after, read=time.perf_counter() - start, count=len(held))'
VARIANTS = {
    "ours mapped": (sys.executable, OURS_MAPPED),
    "ours ready": (sys.executable, OURS_READY),
    "tensorflow": (PEERS_PYTHON, THEIRS),
}
# assumed: TensorFlow's import alone takes seconds, and its reader has the processor's own instruction for checksums
TARGETS = {"with-import": 3.0, "without-import": 0.5, "memory-mapped": 10.0, "memory-ready": 1.2}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round; ends within five minutes")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if not Path(PEERS_PYTHON).is_file():
        sys.exit(f"there is no {PEERS_PYTHON}: run `make test-tensorflow`, or name an interpreter in BERTSMITH_PEERS_PYTHON")
    rounds = 1 if options.quick else options.rounds
    with tempfile.TemporaryDirectory() as place:
        prefix = Path(place) / "bert_model.ckpt"
        size = write_checkpoint(prefix)
        found: dict[str, list[dict[str, float]]] = {name: [] for name in VARIANTS}
        for turn in range(rounds):
            for name, (python, code) in VARIANTS.items():
                found[name].append(measured(python, code, prefix))
                told = ", ".join(f"{what} {value:,.2f}" for what, value in found[name][-1].items())
                print(f"round {turn + 1} {name}: {told}", flush=True)
    settings = {
        "bytes": size,
        "rounds": rounds,
        "data": "random",
    }
    record("read_checkpoint", settings, found, claims_of(found))


def write_checkpoint(prefix: Path) -> int:
    """Random weights in the shape of Google's Chinese base; returns the bytes of the data file."""
    from bertsmith.checkpoints.google import write_tensorflow
    from bertsmith.checkpoints.names import Part, shapes
    from bertsmith.config.presets import preset

    config = preset("base").replace(vocab_size=21128)
    random = np.random.default_rng(0)
    parts = (Part.ENCODER, Part.POOLER, Part.MLM, Part.NSP)
    arrays = {name: random.random(shape, np.float32) for part in parts for name, shape in shapes(config, part).items()}
    write_tensorflow(prefix, arrays, heads=config.num_attention_heads)
    return prefix.with_name(f"{prefix.name}.data-00000-of-00001").stat().st_size


def measured(python: str, code: str, prefix: Path) -> dict[str, float]:
    """Seconds of the import and of reading; MiB above what Python with numpy holds, behind the import and at most."""
    script = BEFORE + code.format(imported=IMPORTED) + AFTER
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    with tempfile.TemporaryFile("w+") as errors:
        worker = subprocess.Popen(
            [python, "-c", script, str(prefix)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment,
        )
        start = told(worker, errors)[1]
        _, imported = told(worker, errors)
        said, peak = told(worker, errors, watch=True)
        worker.communicate("\n")
    return {
        "import_s": said["imported"],
        "read_s": said["read"],
        "imported_mib": imported - start,
        "peak_mib": peak - start,
    }


def told(worker: "subprocess.Popen[str]", errors: Any, watch: bool = False) -> tuple[dict[str, float], float]:
    """The next line of a worker and the anonymous memory that it holds then, or held at most until then; the worker goes on."""
    assert worker.stdin and worker.stdout
    peak = 0.0
    if watch:
        os.set_blocking(worker.stdout.fileno(), False)
        line = ""
        while not line.endswith("\n") and worker.poll() is None:
            peak = max(peak, anonymous(worker.pid))
            time.sleep(0.002)
            line += worker.stdout.readline() or ""
    else:
        line = worker.stdout.readline()
    if not line:
        errors.seek(0)
        sys.exit(f"a worker failed:\n{errors.read()[-3000:]}")
    peak = max(peak, anonymous(worker.pid))
    if not watch:
        worker.stdin.write("\n")
        worker.stdin.flush()
    return json.loads(line), peak


def anonymous(process: int) -> float:
    """MiB of a process that no file stands behind."""
    facts = dict(line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines())
    return int(facts["RssAnon"].split()[0]) / 1024 if "RssAnon" in facts else 0.0


def claims_of(found: dict[str, list[dict[str, float]]]) -> list[tuple[str, float, float]]:
    """Time with and without the import; memory with the import."""
    middle = {name: {what: statistics.median(run[what] for run in runs) for what in runs[0]} for name, runs in found.items()}
    ours, ready, theirs = middle["ours mapped"], middle["ours ready"], middle["tensorflow"]
    ratios = {
        "with-import": (theirs["import_s"] + theirs["read_s"]) / (ours["import_s"] + ours["read_s"]),
        "without-import": theirs["read_s"] / ours["read_s"],
        "memory-mapped": theirs["peak_mib"] / ours["peak_mib"],
        "memory-ready": theirs["peak_mib"] / ready["peak_mib"],
    }
    return [(f"read-checkpoint-{name}", ratio, TARGETS[name]) for name, ratio in ratios.items()]


if __name__ == "__main__":
    main()
