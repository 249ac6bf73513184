"""bf16 against fp32: the held-out masked LM loss behind the same steps with the same seeds, and whether they differ by more than seeds do.

Ours alone: a `tiny` trains on an encyclopedia in both formats. Where the processor has no fast bf16 products, the same casts are made and each
product of bf16 numbers is computed in fp32 and rounded, which is what the hardware does (it adds up in fp32); nothing is said about speed then.
The ratio is the difference of the means over the standard deviation of the seeds in fp32. Needs $BERTSMITH_DATA with en/corpus.
"""

import argparse
import json
import statistics
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from peers import in_turn, record
from pretraining_step import bf16_pays, wiki_store

MOST = 1.0  # standard deviations of the seeds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="60 steps; ends within five minutes")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--worker")
    options = parser.parse_args()
    if options.worker:
        print(worker(json.loads(options.worker)))
        return
    store = wiki_store(held_out=0.1)
    if store is None:
        return
    steps = 60 if options.quick else options.steps
    variants = [
        {"name": f"{precision} {seed}", "precision": precision, "seed": seed, "steps": steps, "store": store}
        for seed in range(options.seeds)
        for precision in ("fp32", "bf16")
    ]
    losses = in_turn(__file__, variants, 1)
    fp32, bf16 = ([losses[f"{precision} {seed}"][0] for seed in range(options.seeds)] for precision in ("fp32", "bf16"))
    difference, spread = statistics.fmean(bf16) - statistics.fmean(fp32), statistics.stdev(fp32)
    settings = {"model": "tiny", "steps": steps, "seeds": options.seeds, "products": "bf16" if bf16_pays() else "fp32, rounded"}
    measured = {"fp32": fp32, "bf16": bf16, "difference": difference, "standard_deviation": spread}
    record("bf16_training", settings, measured, [("bf16-held-out-loss", abs(difference) / spread, MOST)])


def worker(variant: dict[str, Any]) -> float:
    """Held-out masked LM loss at the end of a run."""
    import bertsmith

    rounded = variant["precision"] == "bf16" and not bf16_pays()
    with tempfile.TemporaryDirectory() as folder, wide_products() if rounded else nullcontext():
        told = bertsmith.pretrain(
            variant["store"],
            model="tiny",
            output=str(Path(folder) / "run"),
            batch_size=16,
            steps=variant["steps"],
            learning_rate=2e-3,
            precision=variant["precision"],
            seed=variant["seed"],
            evaluate_every=variant["steps"],
            save_every=variant["steps"],
        )
    return float(next(score["value"] for score in told.numbers["scores"] if score["metric"] == "mlm_loss"))


def wide_products() -> Any:
    """Compute every product of bf16 matrices in fp32 and round the result."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    aten = torch.ops.aten
    products = {aten.mm.default, aten.bmm.default, aten.addmm.default, aten.baddbmm.default, aten.mv.default}

    class Wide(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if func in products and all(value.dtype == torch.bfloat16 for value in args if isinstance(value, torch.Tensor)):
                wide = [value.float() if isinstance(value, torch.Tensor) else value for value in args]
                return func(*wide, **(kwargs or {})).to(torch.bfloat16)
            return func(*args, **(kwargs or {}))

    return Wide()


if __name__ == "__main__":
    main()
