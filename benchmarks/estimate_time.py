"""The predicted time of a 200-step pretraining against the real one: a probe of at most 20 seconds, then the run, five times.

Each try is a process of its own: it probes with the lengths of a made token store, then pretrains on that store through the library.
"""

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from peers import in_turn, record

V, WORDS_OF_A_SENTENCE, DOCUMENTS = 30522, (5, 40), 2000
TARGET = 0.2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny, 30 steps, two tries; ends within five minutes")
    parser.add_argument("--model", default="mini")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--tries", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0, help="0: all cores of the quota")
    parser.add_argument("--precision", default="fp32", choices=("fp32", "bf16"))
    parser.add_argument("--worker")
    options = parser.parse_args()
    if options.worker:
        print(worker(json.loads(options.worker)))
        return
    model, steps, tries = ("tiny", 30, 2) if options.quick else (options.model, options.steps, options.tries)
    store = Path(tempfile.mkdtemp()) / "store"
    make_store(store)
    told = {"model": model, "steps": steps, "threads": options.threads, "precision": options.precision}
    ratios = in_turn(__file__, [{"name": "predicted over real", "store": str(store), **told}], tries)["predicted over real"]
    error = statistics.median(abs(ratio - 1) for ratio in ratios)
    record("estimate_time", told, {"predicted_over_real": ratios}, [("estimate_time", error, TARGET)])


def make_store(folder: Path) -> None:
    """A token store of random words, with as many pieces as Google's English vocabulary."""
    from bertsmith.data.corpus import Document
    from bertsmith.data.token_store import write_store
    from bertsmith.text.vocabulary import SPECIAL, Vocabulary

    words = [f"w{number}" for number in range(V - len(SPECIAL))]
    rng = random.Random(0)

    def documents() -> Any:
        for number in range(DOCUMENTS):
            sentences = (" ".join(rng.choices(words, k=rng.randint(*WORDS_OF_A_SENTENCE))) for _ in range(rng.randint(5, 40)))
            yield Document(tuple(sentences), f"made:{number}", "train")

    write_store(documents(), Vocabulary((*SPECIAL, *words), lowercase=True), folder, shard_tokens=2**26, origin={})


def worker(told: dict[str, Any]) -> float:
    """Predicted over real seconds of one try."""
    from bertsmith.jobs.estimate_lengths import lengths_of
    from bertsmith.jobs.estimate_settings import ConfigEstimateSettings
    from bertsmith.machine import cores
    from bertsmith.progress import ignore
    from bertsmith.training.precision import Engine
    from bertsmith.training.pretraining.probe import probe

    threads = told["threads"] or cores()
    engine = Engine("cpu", told["precision"], threads)
    settings = ConfigEstimateSettings(model=told["model"], data=Path(told["store"]))
    lengths = lengths_of(settings, ignore).lengths
    real, config = real_run(told, engine)
    start = time.perf_counter()
    found = probe(
        config,
        lengths,
        batch_size=settings.batch_size,
        micro_batch_tokens=settings.micro_batch_tokens,
        masked_share=settings.masked_share,
        engine=engine,
    )
    took = time.perf_counter() - start
    seconds = real()
    predicted = found.step_seconds * told["steps"]
    print(f"probe {took:.1f} s ({found.steps} steps): predicted {predicted:.1f} s, real {seconds:.1f} s", file=sys.stderr)
    return predicted / seconds


def real_run(told: dict[str, Any], engine: Any) -> tuple[Any, Any]:
    """A function that pretrains and tells its seconds, made ready before the probe; and the config that is trained."""
    from bertsmith.data.instance_settings import Objective
    from bertsmith.data.token_store import TokenStore
    from bertsmith.progress import ignore
    from bertsmith.records.run import RunFolder
    from bertsmith.training.pretraining import run as pretraining
    from bertsmith.training.pretraining.settings import PretrainSettings

    store = TokenStore.open(Path(told["store"]))
    settings = PretrainSettings(store=store.folder, model=told["model"], steps=told["steps"], evaluate_every=told["steps"])
    workload = pretraining.workload_of(settings, store, pretraining.start_of(settings, store, ignore), Objective.MLM_NSP)
    folder = RunFolder(Path(tempfile.mkdtemp()))

    def run() -> float:
        start = time.perf_counter()
        pretraining.run(settings, workload, engine, folder, ignore)
        return time.perf_counter() - start

    return run, workload.model.config


if __name__ == "__main__":
    main()
