"""Peak anonymous memory of `prepare` for 10 MB and for 80 MB of text, and whether two runs give the same bytes.

The text is real where $BERTSMITH_DATA is set (an encyclopedia, repeated with a mark in each line until it is long enough), else made of
random words. Each run is a process of its own that samples its RssAnon every 20 ms.
"""

import argparse
import hashlib
import json
import lzma
import os
import random
import sys
import tempfile
import threading
import time
from pathlib import Path

from peers import in_turn, record

SIZES = {"10 MB": 10_000_000, "80 MB": 80_000_000}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the same; it ends within five minutes")
    parser.add_argument("--worker")
    options = parser.parse_args()
    if options.worker:
        print(worker(json.loads(options.worker)))
        return
    place = Path(tempfile.mkdtemp())
    variants = []
    for name, size in SIZES.items():
        write_text(place / f"{size}.txt", size)
        variants.append({"name": name, "text": str(place / f"{size}.txt")})
    peaks = in_turn(__file__, variants, 1)
    hashes = {run: worker({"text": variants[0]["text"], "hash": run}) for run in ("first", "second")}
    if hashes["first"] != hashes["second"]:
        sys.exit("two runs gave different bytes")
    small, large = (peaks[name][0] for name in SIZES)
    record(
        "prepare_memory", {"sizes": SIZES}, {"peak_mib": peaks, "same_bytes": True}, [("prepare-memory", large / small, 1.2)]
    )


def write_text(path: Path, size: int) -> None:
    source = Path(os.environ.get("BERTSMITH_DATA", "")) / "en/corpus/wiki_en/train.txt.xz"
    if source.is_file():
        with lzma.open(source, "rt", encoding="utf-8") as file:
            lines = file.read(12_000_000).splitlines()
    else:
        rng = random.Random(0)
        words = ["".join(rng.choices("abcdefghijklmnoprstuvw", k=rng.randint(2, 9))) for _ in range(20_000)]
        lines = [" ".join(rng.choices(words, k=40)).capitalize() + "." if i % 8 else "" for i in range(60_000)]
    written = turn = 0
    with path.open("w", encoding="utf-8") as out:
        while written < size:
            for line in lines:
                marked = line.strip() and turn and not line.startswith("=")  # titles stay, or articles would run into one
                text = f"{line} {turn}\n" if marked else line + "\n"
                written += out.write(text)
                if written >= size:
                    break
            turn += 1


def worker(variant: dict[str, str]) -> float | str:
    """Peak anonymous memory in MiB; with `hash` the hash of all bytes of the store instead."""
    from bertsmith.data.settings import PrepareSettings
    from bertsmith.jobs.prepare import prepare
    from bertsmith.text.vocabulary import SPECIAL, Vocabulary

    folder = Path(tempfile.mkdtemp())
    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,;:!?'\"()-"
    pieces = (*SPECIAL, *letters, *(f"##{letter}" for letter in letters))
    Vocabulary(pieces, True).write(folder / "vocabulary")
    settings = PrepareSettings(corpus=Path(variant["text"]), vocabulary=folder / "vocabulary", output=folder / "store")
    peak, done = [0.0], threading.Event()
    sampler = threading.Thread(target=sample, args=(peak, done))
    sampler.start()
    prepare(settings, given={})
    done.set()
    sampler.join()
    if "hash" not in variant:
        return peak[0]
    files = sorted(path for path in (folder / "store").rglob("*") if path.is_file())
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def sample(peak: list[float], done: threading.Event) -> None:
    while not done.is_set():
        facts = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        peak[0] = max(peak[0], int(facts["RssAnon"].split()[0]) / 1024)
        time.sleep(0.02)


if __name__ == "__main__":
    main()
