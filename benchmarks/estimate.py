"""Our estimates beside accelerate's, the EleutherAI cookbook's and fvcore's on five configs, with the true values.

True are: parameters and operations of transformers' `BertForPreTraining` (torch's FlopCounterMode, eager attention), and the measured peak of
a training process, RssAnon sampled every 2 ms: ours for our estimate, transformers' (padded, fp32, torch's AdamW, the libraries taken off) for
what the others promise. A peer that is not installed is left out, and that is said.
"""

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bertsmith.config.bert import BertConfig
from bertsmith.config.estimate.flops import Pass, flops
from bertsmith.config.estimate.memory import Precision, training_memory
from bertsmith.config.estimate.memory_textbook import Attention, textbook_memory
from bertsmith.config.estimate.parameters import parameters
from bertsmith.config.estimate.work import Work
from bertsmith.config.presets import preset
from peers import in_turn, record

FIVE = ("tiny", "mini", "small", "base", "chinese")
B, S, SHARE, DROPOUT = 8, 128, 0.15, 0.1
TOKENS = {"fp32": 1024, "bf16": 256}  # of a micro-batch in the measurement of our memory: bf16 is slow on many processors
STEPS = {"fp32": 3, "bf16": 2}
SIZES = ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="memory of tiny and mini alone; ends within five minutes")
    parser.add_argument("--worker")
    options = parser.parse_args()
    if options.worker:
        print(worker(json.loads(options.worker)))
        return
    counted = {name: count(preset(name)) for name in FIVE}
    memory = measure(("tiny", "mini") if options.quick else FIVE, quick=options.quick)
    errors = shown(counted, memory)
    record(
        "estimate",
        {"batch": B, "length": S, "masked": SHARE, "dropout": DROPOUT},
        {**counted, "memory": memory},
        claims(errors),
    )


def count(config: BertConfig) -> dict[str, dict[str, float]]:
    """Parameters and operations of a config by everyone who counts them; `true` is transformers and torch."""
    work = Work.padded(B, S)
    true_parameters, true_forward, true_training = transformers_counts(config)
    our_forward, our_training = (flops(config, work, which).total for which in (Pass.FORWARD, Pass.TRAINING))
    found = {
        "parameters": {
            "true": true_parameters,
            "bertsmith": parameters(config).pretraining,
            "cookbook": cookbook_parameters(config),
        },
        "forward FLOPs": {"true": true_forward, "bertsmith": our_forward},
        "training FLOPs": {"true": true_training, "bertsmith": our_training, "cookbook": cookbook_training_flops(config)},
        "our step's FLOPs": dict(zip(("true", "bertsmith"), own_step_flops(config))),
    }
    if (bytes_ := accelerate_bytes(config)) is not None:
        found["parameters"]["accelerate"] = bytes_ / 4
    for attention in ("eager", "sdpa"):
        counted = fvcore_forward(config, attention)
        if counted is not None:
            found["forward FLOPs"][f"fvcore, {attention}"] = counted
    return found


def measure(names: tuple[str, ...], *, quick: bool) -> dict[str, dict[str, float]]:
    """Peak bytes of training processes, and what everyone predicts for them."""
    found: dict[str, dict[str, float]] = {}
    for name in names:
        config = preset(name).replace(hidden_dropout_prob=DROPOUT, attention_probs_dropout_prob=DROPOUT)
        for precision in ("fp32",) if quick else ("fp32", "bf16"):
            for length in (64,) if quick else (64, 256):
                variant = {"name": f"{name} {precision} {length}", "model": name, "precision": precision, "length": length}
                (peak,) = in_turn(__file__, [variant], 1)[variant["name"]]
                work = Work.of([length] * (TOKENS[precision] // length), SHARE)
                ours = training_memory(config, work, Precision[precision]).total
                found[f"our step, {precision}, {length}, {name}"] = {"true": peak, "bertsmith": ours}
        variant = {"name": f"{name} transformers", "model": name, "who": "transformers"}
        (peak,) = in_turn(__file__, [variant], 1)[variant["name"]]
        textbook = textbook_memory(config, Work.padded(B, S), Precision.fp32, Attention.EAGER, recompute=False)
        told = {"true": peak, "bertsmith's formula": textbook.total - textbook.context, "cookbook": cookbook_memory(config)}
        if (bytes_ := accelerate_bytes(config)) is not None:
            told["accelerate"] = 4 * bytes_  # its `step` in float32
        found[f"transformers' step, {name}"] = told
    return found


def transformers_model(config: BertConfig, attention: str = "eager") -> Any:
    import transformers

    values = {name: getattr(config, name) for name in SIZES}
    return transformers.BertForPreTraining(transformers.BertConfig(**values, attn_implementation=attention)).train()


def transformers_counts(config: BertConfig) -> tuple[float, float, float]:
    """Parameters, forward and training operations on the meta device."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    with torch.device("meta"):
        model, ids = transformers_model(config), torch.zeros(B, S, dtype=torch.long)
        labels = torch.zeros(B, dtype=torch.long)
    with FlopCounterMode(display=False) as counter:
        loss = model(input_ids=ids, token_type_ids=ids, labels=ids, next_sentence_label=labels).loss
        forward = counter.get_total_flops()
        loss.backward()
    return sum(p.numel() for p in model.parameters()), forward, counter.get_total_flops()


def own_step_flops(config: BertConfig) -> tuple[float, float]:
    """Counted and predicted operations of our packed step on sequences of mixed lengths; two layers stand for all."""
    import numpy as np
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from bertsmith.models.bert.heads import BertForPretraining
    from bertsmith.models.bert.initialize import initialize
    from bertsmith.models.bert.pack import Pack
    from bertsmith.training.optimizer import AdamW, Flavour
    from bertsmith.training.pretraining.probe import MadeInstances

    config = config.replace(num_hidden_layers=2)
    lengths = np.random.default_rng(0).integers(16, S + 1, B).tolist()
    model = BertForPretraining(config)
    initialize(model, 0.02, 0)
    AdamW(model, Flavour.CORRECTED, 0.01)
    batch = MadeInstances(lengths, config.vocab_size, SHARE).batch(0, range(B))
    # torch's counter does not know products in place
    known: dict[Any, Callable[..., int]] = {torch.ops.aten.addmm_: lambda c, a, b, **_: 2 * a[0] * a[1] * b[1]}
    with FlopCounterMode(display=False, custom_mapping=known) as counter:
        loss = model(Pack.of(batch), 1.0, 1.0)
        assert loss.next_sentence is not None
        (loss.masked_lm.value + loss.next_sentence.value).backward()  # type: ignore[no-untyped-call]
    return counter.get_total_flops(), flops(config, Work.of(lengths, SHARE), Pass.TRAINING).total


def cookbook_parameters(config: BertConfig) -> float:
    """calc_transformer_params.py (github.com/EleutherAI/cookbook): tied table, positions, four square matrices, both dense, 13 vectors."""
    h, layers, f = config.hidden_size, config.num_hidden_layers, config.intermediate_size
    return h * config.vocab_size + h * config.max_position_embeddings + layers * (4 * h * h + 2 * h * f + 13 * h)


def cookbook_training_flops(config: BertConfig) -> float:
    """calc_transformer_flops.py without checkpointing: three times the layers, and the whole table for every token."""
    h, layers, tokens = config.hidden_size, config.num_hidden_layers, B * S
    per_token = 8 * h * h + 4 * S * h + 16 * h * h
    return 3 * layers * per_token * tokens + 6 * tokens * h * config.vocab_size


def cookbook_memory(config: BertConfig) -> float:
    """calc_transformer_mem.py with `--disable-mixed-precision --low-prec-bytes-per-val 4`: 20 bytes a parameter, activations after ZeRO's table."""
    h, layers, f = config.hidden_size, config.num_hidden_layers, config.intermediate_size
    count = 2 * config.vocab_size * h + h * S + layers * (8 * h + 4 * h * h + 2 * h * f) + 2 * h
    activations = S * B * h * layers * ((16 * 4 + 2) + (2 * 4 + 1) * config.num_attention_heads * S / h)
    return 20 * count + activations


def accelerate_bytes(config: BertConfig) -> float | None:
    """Bytes of the fp32 weights as `accelerate estimate-memory` counts them; its own command asks a hub for the config."""
    try:
        from accelerate.utils import calculate_maximum_sizes
    except ImportError:
        absent("accelerate")
        return None
    import torch

    with torch.device("meta"):
        model = transformers_model(config)
    model.tie_weights()
    return float(calculate_maximum_sizes(model)[0])


def fvcore_forward(config: BertConfig, attention: str) -> float | None:
    """Twice what fvcore counts: its unit is one multiplication with its addition."""
    try:
        from fvcore.nn import FlopCountAnalysis
    except ImportError:
        absent("fvcore")
        return None
    import logging

    import torch

    logging.disable(logging.WARNING)
    ids = torch.zeros(B, S, dtype=torch.long)
    try:
        return 2.0 * FlopCountAnalysis(transformers_model(config, attention).eval(), (ids, torch.ones_like(ids), ids)).total()
    except Exception as error:  # the tracer of an old package meets a new one
        print(f"fvcore, {attention}: failed: {type(error).__name__}: {str(error).splitlines()[0][:100]}")
        return None
    finally:
        logging.disable(logging.NOTSET)


def absent(package: str, told: set[str] = set()) -> None:  # noqa: B006
    if package not in told:
        print(f"{package}: not installed, left out")
        told.add(package)


def worker(variant: dict[str, Any]) -> float:
    """Peak bytes of this process while it trains; for transformers without the libraries."""
    work: Callable[[], None]
    before = 0.0
    if variant.get("who") == "transformers":
        work = their_training(variant)
        before = anonymous_bytes()
    else:
        work = our_training(variant)
    peak, done = 0.0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.is_set():
            peak = max(peak, anonymous_bytes())
            time.sleep(0.002)

    watcher = threading.Thread(target=watch)
    watcher.start()
    work()
    done.set()
    watcher.join()
    return peak - before


def anonymous_bytes() -> float:
    """Memory of this process that no file stands behind: what counts when memory runs out."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("RssAnon"))
    return int(line.split()[1]) * 1024.0


def our_training(variant: dict[str, Any]) -> Callable[[], None]:
    """Real steps of the real loop: two micro-batches a step in fp32, one in bf16."""
    from bertsmith.models.bert.heads import BertForPretraining
    from bertsmith.models.bert.initialize import initialize
    from bertsmith.training.precision import Engine
    from bertsmith.training.pretraining.objective import Pretraining
    from bertsmith.training.pretraining.probe import MadeInstances, step_seconds

    precision, length, p = variant["precision"], variant["length"], variant.get("dropout", DROPOUT)
    tokens = TOKENS[precision]

    def train() -> None:
        config = preset(variant["model"]).replace(hidden_dropout_prob=p, attention_probs_dropout_prob=p)
        model = BertForPretraining(config)
        initialize(model, config.initializer_range, 0)
        lengths = [length] * ((2 if precision == "fp32" else 1) * tokens // length)
        instances: Any = MadeInstances(lengths, config.vocab_size, SHARE)
        workload = Pretraining(model, instances, None, len(lengths), tokens, 1)
        step_seconds(workload, Engine("cpu", precision, 1), until=float("inf"), most=STEPS[precision])

    return train


def their_training(variant: dict[str, Any]) -> Callable[[], None]:
    """Transformers as it comes, in fp32."""
    import torch
    import transformers

    (
        transformers.BertForPreTraining,
        torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))]),
    )  # what is loaded late is loaded now

    def train() -> None:
        model = transformers_model(preset(variant["model"]))
        optimizer = torch.optim.AdamW(model.parameters(), 1e-4)
        ids = torch.randint(1000, model.config.vocab_size, (B, S))
        labels = torch.full((B, S), -100)
        labels[:, 1 : 1 + round(SHARE * S)] = ids[:, 1 : 1 + round(SHARE * S)]
        for _ in range(2):
            optimizer.zero_grad()
            model(input_ids=ids, labels=labels, next_sentence_label=torch.zeros(B, dtype=torch.long)).loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()

    return train


def shown(counted: dict[str, Any], memory: dict[str, Any]) -> dict[str, list[float]]:
    """Print the table of errors in percent; the absolute errors of ours, by kind."""
    rows = {f"{what}, {name}": values for name, kinds in counted.items() for what, values in kinds.items()}
    rows |= {f"memory of {what}": values for what, values in memory.items()}
    errors: dict[str, list[float]] = {}
    for row, values in rows.items():
        true = values["true"]
        told = {who: 100 * (value / true - 1) for who, value in values.items() if who != "true"}
        print(f"{row:42}  true {true:>18,.0f}  " + "  ".join(f"{who} {error:+.2f}%" for who, error in told.items()))
        if "bertsmith" in told:
            errors.setdefault(row.split(",")[0], []).append(abs(told["bertsmith"]) / 100)
    return errors


def claims(errors: dict[str, list[float]]) -> list[tuple[str, float, float]]:
    """The largest error of ours in each kind."""
    limits = {
        "parameters": 0.0,
        "forward FLOPs": 0.0,
        "training FLOPs": 0.0,
        "our step's FLOPs": 0.01,
        "memory of our step": 0.1,
    }
    return [
        (f"estimate-{kind.replace(' ', '-').replace(chr(39), '')}-error", max(errors[kind]), limit)
        for kind, limit in limits.items()
    ]


if __name__ == "__main__":
    sys.exit(main())
