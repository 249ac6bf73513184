"""What the benchmarks share: workers in turn, medians and ratios, the JSON record of a measurement."""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

from bertsmith.machine import describe

RESULTS = Path(__file__).parent / "results"


def in_turn(script: str, variants: Sequence[dict[str, Any]], rounds: int) -> dict[str, list[float]]:
    """Run every variant once a round, each in a process of its own (an allocator setting cannot be taken back), A B C A B C ….

    Args:
        script: the file to run as `script --worker JSON`; it prints one JSON number on its last line.
        variants: settings of each variant; `name` is the key of the result.
        rounds: how often.
    """
    found: dict[str, list[float]] = {variant["name"]: [] for variant in variants}
    for turn in range(rounds):
        for variant in variants:
            command = [sys.executable, script, "--worker", json.dumps(variant)]
            done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "HF_HUB_OFFLINE": "1"})
            if done.returncode:
                sys.exit(f"{variant['name']} failed:\n{done.stderr[-3000:]}")
            value = float(done.stdout.strip().splitlines()[-1])
            found[variant["name"]].append(value)
            print(f"round {turn + 1} {variant['name']}: {value:,.1f}", flush=True)
    return found


def sizes_and_rounds(
    about: str | None, worker: Callable[[dict[str, Any]], float], sizes: str, quick: int
) -> tuple[list[str], int]:
    """The sizes and rounds that a command line asks for; as `--worker JSON` it prints what one variant measured, and ends.

    Args:
        about: what the program measures.
        worker: measures a variant.
        sizes: the presets of a whole run.
        quick: rounds of a quick run, which measures mini alone.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"mini alone, {quick} rounds; ends within five minutes")
    parser.add_argument("--sizes", default=sizes)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--worker")
    options = parser.parse_args()
    if options.worker:
        print(worker(json.loads(options.worker)))
        sys.exit()
    return (["mini"], quick) if options.quick else (options.sizes.split(","), options.rounds)


def median_rate(step: Callable[[], int], least_seconds: float, least_steps: int = 3) -> float:
    """Units per second: the median over steps of what a step returns divided by its time, behind one step of warming up."""
    step()
    rates, begin = [], perf_counter()
    while len(rates) < least_steps or perf_counter() - begin < least_seconds:
        start = perf_counter()
        units = step()
        rates.append(units / (perf_counter() - start))
    return statistics.median(rates)


def record(name: str, settings: dict[str, Any], measured: Any, claims: Sequence[tuple[str, float, float]]) -> None:
    """Write benchmarks/results/NAME.json and print a line for each claim."""
    packages = ("bertsmith", "torch", "transformers", "numpy", "tokenizers")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(
        json.dumps(
            {
                "when": datetime.now(UTC).isoformat(timespec="seconds"),
                "machine": describe(),
                "versions": {package: version(package) for package in packages},
                "settings": settings,
                "measured": measured,
                "claims": [{"name": claim, "ratio": ratio, "target": target} for claim, ratio, target in claims],
            },
            indent=2,
        )
        + "\n"
    )
    for claim, ratio, target in claims:
        print(f"{claim} ratio {ratio:.2f} target {target:g}")
