"""Pretraining on real pairs against transformers' Trainer, tokens a second, and the share of what the products alone would allow.

Both train `BertForPreTraining` of the same size on the same pairs of sentences of an encyclopedia, 16 a step, at most 128 tokens, vocabulary
of 30,522, dropout 0.1, 15 % masked anew each time. Only real tokens count. Each variant runs in a process of its own, in turn.

- ours: the whole training loop with recipe `google-2018` at the same batch and rate; `lean`, which drops nothing, is told beside it.
- theirs as it comes: Trainer with DataCollatorForLanguageModeling, which pads to the longest pair of a batch, and its defaults.
- theirs at its best: batches of similar length, fused AdamW, no denormals, freed pages kept, and bf16 where the processor is faster with it.
- bound: the products of the linear layers and of the masked-rows head, forward and backward, and nothing else: no attention, norm, loss or update.

Needs $BERTSMITH_DATA with en/corpus, and `accelerate`, without which there is no Trainer.
"""

import statistics
import tempfile
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from peers import in_turn, median_rate, record, sizes_and_rounds
from pretraining_step import bf16_pays, real_batches, their_model, wiki_store
from step_parts import where_the_time_goes

B, S, MASKED = 16, 128, 0.15
WARMING, SECONDS, FEWEST = 2, 8.0, 4  # steps that are not counted, and at least so much behind them
COLUMNS = 1024  # of a block of the head's products
TARGETS = {  # against the peer as it comes; at its best without and with AMX; share of the bound without and with AMX
    "mini": (7.0, 3.0, 5.0, 0.60, 0.40),
    "small": (6.0, 2.5, 3.0, 0.75, 0.55),
    "base": (3.5, 1.7, 2.5, 0.85, 0.70),
}


def main() -> None:
    sizes, rounds = sizes_and_rounds(__doc__, worker, "mini,small,base", quick=2)
    store = wiki_store()
    if store is None:
        return
    measured: dict[str, Any] = {}
    claims: list[tuple[str, float, float]] = []
    for size in sizes:
        rates = in_turn(__file__, variants_of(size, store), rounds)
        shares = where_the_time_goes({"size": size, "corpus": store, "bf16": bf16_pays(), "tuned": True})
        print(f"{size}: " + ", ".join(f"{kind} {share:.1%}" for kind, share in shares.items()))
        measured[size] = {"tokens_per_second": rates, "shares_of_our_step": shares}
        claims += claims_of(size, rates)
    record("pretraining", {"batch": B, "longest": S, "vocabulary": 30522, "dropout": 0.1}, measured, claims)


def variants_of(size: str, store: str) -> list[dict[str, Any]]:
    shared = {"size": size, "store": store}
    best = {"tuned": True, "bf16": bf16_pays()}
    return [
        {"name": "ours", "who": "ours", "recipe": "google-2018", **shared, **best},
        {"name": "theirs as it comes", "who": "theirs", "tuned": False, "bf16": False, **shared},
        {"name": "theirs at its best", "who": "theirs", **shared, **best},
        {"name": "bound", "who": "bound", **shared, **best},
        {"name": "ours, recipe lean", "who": "ours", "recipe": "lean", **shared, **best},
    ]


def claims_of(size: str, rates: dict[str, list[float]]) -> list[tuple[str, float, float]]:
    """Ratios of medians; each ratio's both sides were measured in the same rounds."""
    from bertsmith.machine import instruction_sets

    comes, best, best_amx, share, share_amx = TARGETS[size]
    amx = "amx_bf16" in instruction_sets()
    ours, as_it_comes, at_its_best, bound, _ = (statistics.median(values) for values in rates.values())
    return [
        (f"{size}-as-it-comes", ours / as_it_comes, comes),
        (f"{size}-best", ours / at_its_best, best_amx if amx else best),
        (f"{size}-share-of-bound", ours / bound, share_amx if amx else share),
    ]


def worker(variant: dict[str, Any]) -> float:
    """Tokens a second of one variant."""
    import torch

    from bertsmith.machine import cores, keep_freed_pages

    torch.set_num_threads(cores())
    if variant["tuned"]:
        keep_freed_pages()
        torch.set_flush_denormal(True)
    return {"ours": ours, "theirs": theirs, "bound": bound}[variant["who"]](variant)


class Meter:
    """Tokens and time between the forward passes of a training loop, so that all of a step counts, whoever does it."""

    def __init__(self) -> None:
        self.beats: list[tuple[float, int]] = []

    def beat(self, tokens: int) -> None:
        """A forward pass over so many tokens begins."""
        self.beats.append((perf_counter(), tokens))

    @property
    def enough(self) -> bool:
        """Whether it was measured for long enough."""
        counted = self.beats[WARMING:]
        return len(counted) > FEWEST and counted[-1][0] - counted[0][0] >= SECONDS

    @property
    def rate(self) -> float:
        """Tokens a second: the median over the steps behind the first ones."""
        counted = self.beats[WARMING:]
        return statistics.median(tokens / (after - at) for (at, tokens), (after, _) in pairwise(counted))


class Enough(Exception):
    """Ends a loop that would go on."""


def ours(variant: dict[str, Any]) -> float:
    import torch

    from bertsmith.data.instance_settings import Objective
    from bertsmith.data.token_store import TokenStore
    from bertsmith.models.bert.pack import Pack
    from bertsmith.progress import Event
    from bertsmith.records.run import RunFolder, RunRecord
    from bertsmith.training.loop import StepLoss, train
    from bertsmith.training.precision import Engine
    from bertsmith.training.pretraining.objective import Pretraining
    from bertsmith.training.pretraining.recipe import plan_of
    from bertsmith.training.pretraining.run import start_of, workload_of
    from bertsmith.training.pretraining.settings import PretrainSettings
    from bertsmith.training.shares import Whole

    meter = Meter()

    class Metered(Pretraining):
        def loss(self, pack: Pack, whole: Whole) -> StepLoss:
            meter.beat(whole.tokens)
            if meter.enough:
                raise Enough
            return super().loss(pack, whole)

    def listen(event: Event) -> None:
        pass

    settings = PretrainSettings(
        store=Path(variant["store"]),
        model=variant["size"],
        recipe=variant["recipe"],
        batch_size=B,
        learning_rate=1e-4,
        max_seq_length=S,
        masked_share=MASKED,
        steps=100_000,
        evaluate_every=100_000,
        save_every=100_000,
    )
    store = TokenStore.open(settings.store)
    plain = workload_of(settings, store, start_of(settings, store, listen), Objective.MLM_NSP)
    engine = Engine("cpu", "bf16" if variant["bf16"] else "fp32", torch.get_num_threads())
    with tempfile.TemporaryDirectory() as folder:
        run = RunFolder(Path(folder) / "run")
        run.begin(RunRecord("pretrain", {}, {}, {}, {}))
        workload = Metered(plain.model, plain.instances, None, B, settings.micro_batch_tokens, 0)
        with suppress(Enough):
            train(workload, plan_of(settings, engine), run, listen)
    return meter.rate


def theirs(variant: dict[str, Any]) -> float:
    from transformers import (
        BertTokenizerFast,
        DataCollatorForLanguageModeling,
        Trainer,
        TrainerCallback,
        TrainingArguments,
    )

    meter = Meter()

    class Stop(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
            control.should_training_stop = meter.enough

    model = their_model(variant["size"])
    model.register_forward_pre_hook(
        lambda module, args, inputs: meter.beat(int(inputs["attention_mask"].sum())), with_kwargs=True
    )
    best = {"train_sampling_strategy": "group_by_length", "bf16": variant["bf16"]} if variant["tuned"] else {}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "vocab.txt").write_text("\n".join(pieces_of(variant["store"])), encoding="utf-8")
        tokenizer = BertTokenizerFast.from_pretrained(folder)
        arguments = TrainingArguments(
            folder,
            per_device_train_batch_size=B,
            max_steps=100_000,
            learning_rate=1e-4,
            weight_decay=0.01,
            use_cpu=True,
            report_to="none",
            save_strategy="no",
            disable_tqdm=True,
            **best,
        )
        collator = DataCollatorForLanguageModeling(tokenizer, mlm_probability=MASKED)
        trainer = Trainer(model, arguments, collator, pairs_of(variant["store"]), callbacks=[Stop()])
        trainer.train()
    return meter.rate


def pieces_of(store: str) -> list[str]:
    from bertsmith.data.token_store import TokenStore

    return list(TokenStore.open(Path(store)).vocabulary.pieces)


def pairs_of(store: str) -> list[dict[str, Any]]:
    """The same pairs, nothing masked, as the examples that the collator takes."""
    pairs = []
    for batch in real_batches(store, 400):
        ids_T = batch.ids_T.copy()
        ids_T[batch.masked_M] = batch.labels_M
        for first, last, target in zip(batch.cu_seqlens, batch.cu_seqlens[1:], batch.targets_B):
            part = slice(first, last)
            segments = batch.segments_T[part].tolist()
            pairs.append({"input_ids": ids_T[part].tolist(), "token_type_ids": segments, "next_sentence_label": int(target)})
    return pairs


def bound(variant: dict[str, Any]) -> float:
    """Tokens a second of the products alone, the head's whole or in blocks of columns, whichever is faster."""
    import torch

    from bertsmith.config.presets import preset

    sizes, batches = preset(variant["size"]), real_batches(variant["store"], 40)
    T = round(float(np.mean([batch.tokens for batch in batches])))
    M = round(float(np.mean([len(batch.masked_M) for batch in batches])))
    D, F, V = sizes.hidden_size, sizes.intermediate_size, sizes.vocab_size
    dtype = torch.bfloat16 if variant["bf16"] else torch.float32
    layers = [
        product(T, *shape, dtype) for _ in range(sizes.num_hidden_layers) for shape in ((D, 3 * D), (D, D), (D, F), (F, D))
    ]

    def rate(head: list[tuple[Callable[[], None], Callable[[], None]]]) -> float:
        products = [*layers, product(M, D, D, dtype), *head]

        def step() -> int:
            for forward, _ in products:
                forward()
            for _, backward in reversed(products):
                backward()
            return T

        return median_rate(step, least_seconds=4.0)

    blocks = [COLUMNS] * (V // COLUMNS) + [V % COLUMNS] * (V % COLUMNS > 0)
    return max(rate([product(M, D, V, dtype)]), rate([product(M, D, width, dtype) for width in blocks]))


def product(rows: int, width_in: int, width_out: int, dtype: Any) -> tuple[Callable[[], None], Callable[[], None]]:
    """Forward, and both products of backward, of a linear layer; everything lies ready."""
    import torch

    x, y = torch.randn(rows, width_in).to(dtype), torch.randn(rows, width_out).to(dtype)
    weight = torch.randn(width_out, width_in).to(dtype)
    d_x, d_weight, out = torch.empty_like(x), torch.empty_like(weight), torch.empty_like(y)

    def forward() -> None:
        torch.mm(x, weight.T, out=out)

    def backward() -> None:
        torch.mm(y, weight, out=d_x)
        torch.mm(y.T, x, out=d_weight)

    return forward, backward


if __name__ == "__main__":
    main()
