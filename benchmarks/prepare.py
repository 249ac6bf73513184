"""`prepare` against datasets.map with the fast tokenizer: MB/s from text to store, memory on a gigabyte, the same bytes however it ran.

Needs $BERTSMITH_DATA with en/corpus and zh/corpus, and a Python that has `datasets` and `transformers` (--peer-python). Both ways read the same
file, take the same vocabulary (learned from the text) and two processes, in turn; each time is that of the whole job without the start
of its main process (that of our workers counts). The ratio is of seconds, that of processor seconds stands beside: it hardly depends on
what else runs. jieba is off, as the usual way finds no words; with it the other figure is told.
"""

import argparse
import json
import lzma
import os
import random
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from peers import record

PROCESSES = 2
PIECES = {"en": 30522, "zh": 21128}
SIZES = {
    "en": 24_000_000,
    "zh": 12_000_000,
}  # bytes; in less, the start of our workers (0.4 s each) hides what their work costs
TARGET, MOST_MIB, KILLS = 4, 600, 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round, and 40 MB for memory; ends within five minutes")
    parser.add_argument("--peer-python", default=sys.executable, help="a Python with datasets and transformers")
    parser.add_argument("--job")
    options = parser.parse_args()
    if options.job:
        job(json.loads(options.job))
        return
    rounds, large = (1, 40_000_000) if options.quick else (3, 1_000_000_000)
    place, load = Path(tempfile.mkdtemp()), os.getloadavg()[1]
    try:
        measured: dict[str, Any] = {}
        claims = []
        for language in PIECES:
            measured[language] = speeds(place, language, rounds, options.peer_python)
            claims.append((f"prepare-{language}", measured[language]["ratio"], TARGET))
            claims.append((f"prepare-{language}-processor", measured[language]["ratio_of_processor_seconds"], TARGET))
        measured["memory"] = memory(place, large)
        claims.append(("prepare-memory", MOST_MIB / measured["memory"]["peak_mib"], 1))
        measured["same_bytes"] = same_bytes(place)
        claims.append(("prepare-same-bytes", float(measured["same_bytes"]["equal"]), 1))
    finally:
        shutil.rmtree(place)
    settings = {"load_before": load, "bytes": SIZES, "rounds": rounds, "bytes_for_memory": large, "processes": PROCESSES}
    record("prepare", settings, measured, claims)


def speeds(place: Path, language: str, rounds: int, peer: str) -> dict[str, Any]:
    """MB/s and processor seconds of both ways, in turn."""
    from bertsmith.jobs.vocab import vocab
    from bertsmith.text.settings import VocabSettings

    text, vocabulary = place / f"{language}.txt", place / f"{language}-vocabulary"
    text.write_bytes(b"".join(pieces_of(language, SIZES[language])))
    vocab(VocabSettings(corpus=text, output=vocabulary, size=PIECES[language]), given={})
    megabytes = text.stat().st_size / 1e6
    found: dict[str, list[tuple[float, float]]] = {"bertsmith": [], "usual": [], "jieba": []}
    for turn in range(rounds):
        found["bertsmith"].append(run_job(text, vocabulary, place / "store"))
        found["usual"].append(run_rival(peer, text, vocabulary))
        if language == "zh" and not turn:
            found["jieba"].append(run_job(text, vocabulary, place / "store", words="jieba"))
        told = {
            name: f"{megabytes / times[-1][0]:.2f} MB/s, {times[-1][1] / megabytes:.2f} processor s/MB"
            for name, times in found.items()
            if times
        }
        print(f"round {turn + 1} {language}: {told}", flush=True)
    measured: dict[str, Any] = {
        "megabytes": megabytes,
        "mb_per_second": {name: [megabytes / seconds for seconds, _ in times] for name, times in found.items()},
        "processor_seconds_per_mb": {name: [cpu / megabytes for _, cpu in times] for name, times in found.items()},
        "ratio": ratio(found, "bertsmith", 0),
        "ratio_of_processor_seconds": ratio(found, "bertsmith", 1),
    }
    if found["jieba"]:
        measured |= {"ratio_with_jieba": ratio(found, "jieba", 0)}
        print(f"with jieba the usual way takes {measured['ratio_with_jieba']:.2f} times as long, and finds no words")
    return measured


def ratio(found: dict[str, list[tuple[float, float]]], ours: str, of: int) -> float:
    """How many times as long the usual way takes, of medians; `of` 0: in seconds, 1: in processor seconds."""
    usual, own = (statistics.median(times[of] for times in found[name]) for name in ("usual", ours))
    return usual / own


def pieces_of(language: str, size: int) -> Iterator[bytes]:
    """The beginning of a corpus, line by line, its largest file first."""
    files = (Path(os.environ["BERTSMITH_DATA"]) / language / "corpus").rglob("*.txt.xz")
    left = size
    for file in sorted(files, key=lambda file: (-file.stat().st_size, file)):
        with lzma.open(file) as lines:
            for line in lines:
                if left <= 0:
                    return
                yield line
                left -= len(line)


def command(text: Path, vocabulary: Path, store: Path, *, words: str, workers: int) -> list[str]:
    chosen = {"corpus": str(text), "vocabulary": str(vocabulary), "output": str(store), "words": words, "workers": workers}
    return [sys.executable, __file__, "--job", json.dumps(chosen)]


def job(chosen: dict[str, Any]) -> None:
    """One `prepare` in a process of its own; prints seconds and processor seconds, its workers' included."""
    from bertsmith.data.settings import PrepareSettings
    from bertsmith.jobs.prepare import prepare

    paths = {name: Path(chosen.pop(name)) for name in ("corpus", "vocabulary", "output")}
    begin, before = time.perf_counter(), processor_seconds()
    prepare(PrepareSettings(**paths, **chosen, shard_tokens=2**20), given={})
    print(time.perf_counter() - begin, processor_seconds() - before)


def processor_seconds() -> float:
    """Of this process and its ended children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in used)


def run_job(text: Path, vocabulary: Path, store: Path, words: str = "none") -> tuple[float, float]:
    shutil.rmtree(store, ignore_errors=True)
    return told_times(command(text, vocabulary, store, words=words, workers=PROCESSES))


def run_rival(peer: str, text: Path, vocabulary: Path) -> tuple[float, float]:
    program = Path(__file__).with_name("prepare_rival.py")
    return told_times([peer, str(program), str(text), str(vocabulary), str(PROCESSES)])


def told_times(words: list[str]) -> tuple[float, float]:
    run = subprocess.run(words, capture_output=True, text=True, env={**os.environ, "HF_HUB_OFFLINE": "1"})
    if run.returncode:
        sys.exit(f"{words[:2]} failed:\n{run.stderr[-3000:]}")
    seconds, processor = map(float, run.stdout.split()[-2:])
    return seconds, processor


def memory(place: Path, size: int) -> dict[str, Any]:
    """Peak anonymous memory of main process and workers together, sampled every 50 ms, on text repeated with changes."""
    lines = (place / "en.txt").read_text("utf-8").splitlines()
    text, written, turn = place / "large.txt", 0, 0
    with text.open("w", encoding="utf-8") as out:
        while written < size:
            for line in lines:
                marked = (
                    turn and line.strip() and not line.lstrip().startswith("=")
                )  # titles stay, or articles would run into one
                written += out.write(f"{line} In part {turn} of w{turn:x}x.\n" if marked else line + "\n")
            turn += 1
    process = subprocess.Popen(
        command(text, place / "en-vocabulary", place / "store", words="none", workers=PROCESSES), stdout=subprocess.PIPE
    )
    peak, parts = 0.0, []
    while process.poll() is None:
        sizes = [anonymous(pid) for pid in (process.pid, *children(process.pid))]
        if sum(sizes) > peak:
            peak, parts = sum(sizes), sizes
        time.sleep(0.05)
    if process.returncode:
        sys.exit("prepare failed on the large text")
    assert process.stdout is not None
    seconds = float(process.stdout.read().split()[-2])
    text.unlink()
    shutil.rmtree(place / "store")
    return {"bytes": written, "peak_mib": peak, "of_processes_mib": parts, "mb_per_second": written / 1e6 / seconds}


def children(pid: int) -> list[int]:
    try:
        return [int(word) for task in Path(f"/proc/{pid}/task").iterdir() for word in (task / "children").read_text().split()]
    except OSError:
        return []


def anonymous(pid: int) -> float:
    try:
        facts = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        return int(facts["RssAnon"].split()[0]) / 1024
    except (OSError, KeyError):
        return 0.0


def same_bytes(place: Path) -> dict[str, Any]:
    """Hashes of the stores of one worker, of two, and of two killed several times on the way."""
    hashes, kills, seconds = {}, 0, 0.0
    for name, workers in (("one worker", 1), ("two workers", 2)):
        begin = time.perf_counter()
        subprocess.run(job_of(place, workers), check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - begin
        hashes[name] = hash_of(place / "store")
    draw = random.Random(0)
    for _ in range(KILLS):
        process = subprocess.Popen(job_of(place, 2), stdout=subprocess.DEVNULL)
        try:
            process.wait(timeout=draw.uniform(0.4, 0.8) * seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
    subprocess.run(job_of(place, 2), check=True, stdout=subprocess.DEVNULL)
    hashes["killed"] = hash_of(place / "store")
    return {"kills": kills, "hashes": hashes, "equal": kills > 0 and len(set(hashes.values())) == 1}


def job_of(place: Path, workers: int) -> list[str]:
    return command(place / "zh.txt", place / "zh-vocabulary", place / "store", words="none", workers=workers)


def hash_of(store: Path) -> str:
    import hashlib

    digest = hashlib.sha256()
    for file in sorted(path for path in store.rglob("*") if path.is_file()):
        digest.update(file.relative_to(store).as_posix().encode() + file.read_bytes())
    shutil.rmtree(store)
    return digest.hexdigest()


if __name__ == "__main__":
    main()
