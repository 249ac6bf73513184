"""A whole pretraining step (forward, backward, clipping, AdamW) against transformers' BertForPreTraining, tokens a second.

Same sizes, same 16 × 128 tokens, vocabulary of 30,522, dropout 0.1, 15 % masked, next-sentence labels. Each variant runs in a process of
its own, in turn. `as it comes`: fp32 and torch's AdamW for the peer, our defaults for us. `best`: for both the allocator that keeps
pages, no denormals, fused AdamW, and bf16 where the processor is faster with it. With $BERTSMITH_DATA set, the same on real pairs
of an encyclopedia: the peer's batches are padded to their longest sequence, and only real tokens count for both.
"""

import itertools
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from peers import in_turn, median_rate, record, sizes_and_rounds

B, S, V, MASKED = 16, 128, 30522, 0.15
TARGETS = {  # against the peer as it comes; against its best without and with AMX; fp32 against fp32, both at their best
    "mini": (6.0, 2.5, 4.0, 2.0),
    "small": (6.0, 2.0, 2.5, 1.5),
    "base": (3.0, 1.5, 2.0, 1.2),
}


def main() -> None:
    sizes, rounds = sizes_and_rounds(__doc__, worker, "mini,small,base", quick=2)
    corpus = wiki_store()
    claims: list[tuple[str, float, float]] = []
    measured = {}
    for size in sizes:
        rates = in_turn(__file__, variants_of(size, corpus), rounds)
        measured[size] = rates
        claims += claims_of(size, {name: statistics.median(values) for name, values in rates.items()})
    record("pretraining_step", {"batch": B, "length": S, "vocabulary": V, "dropout": 0.1, "rounds": rounds}, measured, claims)


def variants_of(size: str, corpus: str | None) -> list[dict[str, Any]]:
    """Ours and theirs as they come, at their best, at their best in fp32, and on real pairs."""
    bf16 = bf16_pays()
    best = {"tuned": True, "bf16": bf16}
    variants = [
        {"name": "ours as it comes", "who": "ours", "tuned": True, "bf16": bf16},
        {"name": "theirs as it comes", "who": "theirs", "tuned": False, "bf16": False},
        {"name": "theirs best", "who": "theirs", **best},
    ]
    if bf16:
        variants += [
            {"name": "ours fp32", "who": "ours", "tuned": True, "bf16": False},
            {"name": "theirs fp32 best", "who": "theirs", "tuned": True, "bf16": False},
        ]
    if corpus:
        variants += [
            {"name": "ours real pairs", "who": "ours", "corpus": corpus, **best},
            {"name": "theirs best real pairs", "who": "theirs", "corpus": corpus, **best},
        ]
    return [{**variant, "size": size} for variant in variants]


def claims_of(size: str, rate: dict[str, float]) -> list[tuple[str, float, float]]:
    from bertsmith.machine import instruction_sets

    comes, without_amx, with_amx, fp32 = TARGETS[size]
    best = with_amx if "amx_bf16" in instruction_sets() else without_amx
    ours, ours_fp32 = rate["ours as it comes"], rate.get("ours fp32", rate["ours as it comes"])
    claims = [
        (f"{size}-as-it-comes", ours / rate["theirs as it comes"], comes),
        (f"{size}-best", ours / rate["theirs best"], best),
        (f"{size}-fp32-best", ours_fp32 / rate.get("theirs fp32 best", rate["theirs best"]), fp32),
    ]
    if "ours real pairs" in rate:
        claims.append((f"{size}-real-pairs", rate["ours real pairs"] / rate["theirs best real pairs"], best))
    return claims


def bf16_pays() -> bool:
    from bertsmith.training.precision import WORTHWHILE, bf16_gain

    return bf16_gain("cpu") >= WORTHWHILE


def wiki_store(held_out: float = 0.0) -> str | None:
    """A token store of real articles, None where $BERTSMITH_DATA is unset."""
    import lzma
    import os

    data = os.environ.get("BERTSMITH_DATA")
    if not data:
        print("real pairs: skipped, $BERTSMITH_DATA is not set")
        return None
    from bertsmith.data.settings import PrepareSettings
    from bertsmith.jobs.prepare import prepare

    folder = Path(tempfile.mkdtemp())
    with lzma.open(Path(data) / "en/corpus/wiki_en/train.txt.xz", "rt", encoding="utf-8") as file:
        (folder / "wiki.txt").write_text(file.read(3_000_000), encoding="utf-8")
    vocabulary = next(Path(data).glob("*/vocab/bert-base-uncased*"))
    settings = PrepareSettings(corpus=folder / "wiki.txt", vocabulary=vocabulary, output=folder / "store", held_out=held_out)
    prepare(settings, given={})
    return str(folder / "store")


def batches_of(variant: dict[str, Any]) -> list[Any]:
    """Packed batches: 16 full sequences, or 16 real pairs at a time."""
    from bertsmith.data.batches import PackedBatch, frame, pack

    if variant.get("corpus"):
        return real_batches(variant["corpus"], 12)
    rng = np.random.default_rng(0)
    batches = []
    for _ in range(4):
        framed = [frame(rng.integers(999, V, 60), rng.integers(999, V, S - 63), 101, 102) for _ in range(B)]
        plain = pack([ids for ids, _ in framed], [segments for _, segments in framed], rng.integers(0, 2, B))
        rows = np.sort(
            np.concatenate([i * S + rng.choice(np.arange(1, S - 1), round(S * MASKED), replace=False) for i in range(B)])
        )
        ids_T = plain.ids_T.copy()
        ids_T[rows] = 103
        fields = (plain.segments_T, plain.positions_T, plain.cu_seqlens, plain.order_B)
        batches.append(PackedBatch(ids_T, *fields, rows, plain.ids_T[rows], plain.targets_B))
    return batches


def real_batches(store: str, count: int) -> list[Any]:
    """Our first batches of real pairs, fewer where the text has not so many."""
    from bertsmith.data.instance_recipe import training_instances
    from bertsmith.data.instance_settings import InstanceSettings, Objective
    from bertsmith.data.token_store import TokenStore

    settings = InstanceSettings(max_seq_length=S, masked_share=MASKED)
    instances = training_instances(settings, TokenStore.open(Path(store)), Objective.MLM_NSP)
    return [instances.batch(0, range(B * i, B * (i + 1))) for i in range(min(count, instances.count(0) // B))]


def worker(variant: dict[str, Any]) -> float:
    """Tokens a second of one variant."""
    import torch

    from bertsmith.machine import cores, keep_freed_pages

    torch.set_num_threads(cores())
    if variant["tuned"]:
        keep_freed_pages()
        torch.set_flush_denormal(True)
    batches = batches_of(variant)
    step = (ours if variant["who"] == "ours" else theirs)(variant, batches)
    return median_rate(step, least_seconds=4.0)


def ours(variant: dict[str, Any], batches: list[Any]) -> Any:
    import torch

    from bertsmith.config.presets import preset
    from bertsmith.models.bert.heads import BertForPretraining
    from bertsmith.models.bert.initialize import initialize
    from bertsmith.models.bert.pack import Pack
    from bertsmith.training.optimizer import AdamW, Flavour

    model = BertForPretraining(preset(variant["size"]))
    initialize(model, 0.02, 0)
    optimizer = AdamW(model, Flavour.CORRECTED, 0.01)
    source = itertools.cycle(batches)

    def step() -> int:
        batch = next(source)
        optimizer.rows.zero()
        with torch.autocast("cpu", torch.bfloat16, enabled=variant["bf16"]):
            loss = model(Pack.of(batch), 1 / len(batch.masked_M), 1 / batch.sequences)
        (loss.masked_lm.value + loss.next_sentence.value).backward()
        optimizer.rows.clip(1.0)
        optimizer.step(1e-4)
        return int(batch.tokens)

    return step


def theirs(variant: dict[str, Any], batches: list[Any]) -> Any:
    import torch

    model = their_model(variant["size"])
    optimizer = torch.optim.AdamW(model.parameters(), 1e-4, weight_decay=0.01, fused=variant["tuned"] or None)
    source = itertools.cycle([(padded(batch), batch.tokens) for batch in batches])

    def step() -> int:
        inputs, tokens = next(source)
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=variant["bf16"]):
            loss = model(**inputs).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return int(tokens)

    return step


def their_model(size: str) -> Any:
    """The peer's network in training."""
    from transformers import BertConfig, BertForPreTraining

    from bertsmith.config.presets import preset

    sizes = preset(size)
    names = ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
    return BertForPreTraining(BertConfig(**{name: getattr(sizes, name) for name in names})).train()


def padded(batch: Any) -> dict[str, Any]:
    """The peer's form of a batch: padded to its longest sequence."""
    import torch

    lengths = np.diff(batch.cu_seqlens)
    row = np.repeat(np.arange(len(lengths)), lengths)
    shape = (len(lengths), lengths.max())
    ids, segments, attended, labels = np.zeros(shape, int), np.zeros(shape, int), np.zeros(shape, int), np.full(shape, -100)
    ids[row, batch.positions_T], segments[row, batch.positions_T], attended[row, batch.positions_T] = (
        batch.ids_T,
        batch.segments_T,
        1,
    )
    labels[row[batch.masked_M], batch.positions_T[batch.masked_M]] = batch.labels_M
    arrays = {"input_ids": ids, "token_type_ids": segments, "attention_mask": attended, "labels": labels}
    return {**{k: torch.from_numpy(v) for k, v in arrays.items()}, "next_sentence_label": torch.from_numpy(batch.targets_B)}


if __name__ == "__main__":
    main()
