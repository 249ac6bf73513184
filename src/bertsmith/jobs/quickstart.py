"""`quickstart`: the whole main job, from raw text to a trained, measured, usable BERT and its report."""

import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from bertsmith.checkpoints.folder import read_model_folder
from bertsmith.checkpoints.huggingface import values_of
from bertsmith.checkpoints.names import Part
from bertsmith.data.corpus import Corpus
from bertsmith.data.token_store import TokenStore
from bertsmith.errors import UsageError
from bertsmith.files import sha256, write_json
from bertsmith.inference.masked_lm import MaskedLM
from bertsmith.jobs.finetune import finetune
from bertsmith.jobs.finetune_data import read_splits
from bertsmith.jobs.outcome import Outcome, command
from bertsmith.jobs.pretrain import pretrain
from bertsmith.jobs.quickstart_page import Knowledge, Parts, page_of, told_of
from bertsmith.jobs.quickstart_plan import BATCH, LENGTH, PLANS, Plan, network, plan_of
from bertsmith.jobs.quickstart_texts import Texts, open_own, prepare_texts
from bertsmith.jobs.settings import QuickstartSettings
from bertsmith.machine import cores
from bertsmith.messages import Phrase
from bertsmith.progress import Listener, Stage, ignore
from bertsmith.records.run import RunFolder, RunRecord, settings_with_origin
from bertsmith.reports.page import write_report
from bertsmith.seeds import below, permute
from bertsmith.training.finetuning.settings import FinetuneSettings
from bertsmith.training.pretraining.settings import PretrainSettings

RATE, TUNING_RATE = 2.5e-3, 1e-3  # peaks for pretraining and fine-tuning this small network; measured, docs/decisions/0004
MASKED = 0.4  # of the tokens: a short run is short of tokens to predict, not of context; measured, docs/decisions/0004
_WORDS = (8, 24)  # pieces of a sentence that is shown or probed


def quickstart(
    settings: QuickstartSettings, *, given: Mapping[str, object], listen: Listener = ignore, language: str = "en"
) -> Outcome:
    """Do everything in `settings.output`; interrupted, the same call goes on.

    Raises:
        UsageError: labels without a corpus.
        DataError: one's own files cannot be read.
        RunFolderError: the output holds a different run.
        Interrupted: a stop was asked for; everything so far is saved.
    """
    began = time.perf_counter()
    corpus = _checked_inputs(settings, listen)
    folder, record = RunFolder(settings.output), RunRecord("quickstart", settings_with_origin(settings, given))
    plan = _begin(settings, folder, record, corpus, listen)
    if (finished := folder.read_result()) is not None:
        return _outcome(settings, finished[0])
    texts = prepare_texts(settings, plan.examples, corpus, listen)
    pretrained = settings.output / "pretrained"
    pretraining = pretrain(_pretraining(settings, plan, texts), given={}, listen=listen, language=language)
    knowledge = _knowledge(pretrained / "model", texts.store, plan, settings.seed, listen)
    tuned = {
        initial: finetune(_finetuning(settings, plan, texts, initial), given={}, listen=listen, language=language).numbers
        for initial in ("pretrained", "scratch")
        if texts.tables
    }
    parts = Parts(texts.found, pretraining.numbers, knowledge, tuned, _sections(settings.output), time.perf_counter() - began)
    page = page_of(parts)
    told = told_of(parts)
    numbers: dict[str, Any] = {
        "plan": asdict(plan),
        "found": dict(texts.found),
        "pretraining": pretraining.numbers,
        "finetuning": tuned,
    }
    numbers |= {"knowledge": asdict(knowledge), "seconds": parts.seconds, "told": [[line.en, line.zh] for line in told]}
    write_report(settings.output / "report.html", page, record, language="zh" if language == "zh" else "en")
    folder.finish(numbers, page)
    return _outcome(settings, numbers)


def _checked_inputs(settings: QuickstartSettings, listen: Listener) -> Corpus | None:
    """Open one's own files and read the labels before any long work."""
    if settings.labels is not None and settings.corpus is None:
        raise UsageError(
            "labels-without-corpus",
            "--labels needs a --corpus to pretrain on",
            do="give the folder of your texts with --corpus, or leave out --labels",
        )
    corpus = open_own(settings, listen)
    if settings.labels is not None:
        read_splits(FinetuneSettings(data=settings.labels, model=Path("unused")), ignore)
    return corpus


def _begin(settings: QuickstartSettings, folder: RunFolder, record: RunRecord, corpus: Corpus | None, listen: Listener) -> Plan:
    """Start the folder, or go on with the plan that was written down."""
    if corpus is not None:
        record.data["corpus"] = corpus.sha256
    if settings.labels is not None:
        record.data["labels"] = sha256(settings.labels)
    threads = settings.threads or cores()
    folder.check_place()
    existing = folder.read_record()
    known = None if existing is None else existing.settings.get("scale")
    plan = PLANS[known.value] if known and settings.scale == "auto" else plan_of(settings.scale, threads, listen)
    record.resolve("scale", plan.name, "measured" if settings.scale == "auto" else "flag")
    folder.begin(record)
    return plan


def _pretraining(settings: QuickstartSettings, plan: Plan, texts: Texts) -> PretrainSettings:
    config = settings.output / "config.json"
    heads = frozenset({Part.ENCODER, Part.POOLER, Part.MLM, Part.NSP})
    if not config.exists():
        write_json(config, values_of(network(texts.store.vocabulary.size), heads, ()))
    return PretrainSettings(
        store=settings.output / "store",
        output=settings.output / "pretrained",
        model=str(config),
        first_weights="neighbours",
        steps=plan.steps,
        batch_size=BATCH,
        max_seq_length=LENGTH,
        learning_rate=RATE,
        masked_share=MASKED,
        evaluate_every=max(plan.steps // 10, 1),
        save_every=max(plan.steps // 10, 1),
        threads=settings.threads,
        precision="fp32",
        seed=settings.seed,
    )


def _finetuning(settings: QuickstartSettings, plan: Plan, texts: Texts, initial: str) -> FinetuneSettings:
    return FinetuneSettings(
        data=texts.tables["train"],
        dev=texts.tables.get("dev"),
        test=texts.tables.get("test"),
        model=settings.output / "pretrained" / "model",
        output=settings.output / ("classifier" if initial == "pretrained" else "from-scratch"),
        initial=initial,
        max_length=LENGTH,
        epochs=plan.epochs,
        learning_rate=TUNING_RATE,
        seeds=settings.seeds,
        seed=settings.seed,
        baselines="all" if initial == "pretrained" else "none",
        threads=settings.threads,
        precision="fp32",
    )


def _knowledge(model: Path, store: TokenStore, plan: Plan, seed: int, listen: Listener) -> Knowledge:
    """What the network knows without labels: five masks filled, and true sentences against the same with two words swapped."""
    listen(Stage("probing"))
    network_ = MaskedLM(read_model_folder(model))
    split, sentences = _probed_sentences(store, plan.probes, seed)
    starts = store.vocabulary.starts_word
    places = [
        int(np.flatnonzero(starts[ids])[below(int(starts[ids].sum()), seed, "shown mask", number)])
        for number, ids in enumerate(sentences[:5])
    ]
    preferred = network_.preferred_over_swapped(sentences, seed)
    fillings = network_.fill(sentences[:5], places)
    filled = tuple((filling.text, filling.truth, filling.pieces) for filling in fillings)
    return Knowledge(filled, sum(preferred) / max(len(preferred), 1), len(preferred), split)


def _probed_sentences(store: TokenStore, count: int, seed: int) -> tuple[str, list[np.ndarray]]:
    """Held-out sentences of a middling length without unknown pieces, chosen by the seed; training ones where none is held out."""
    split = "held-out" if store.shards("held-out") else "train"
    shard = store.shards(split)[0]
    lengths = np.diff(shard.sentences)
    fitting = np.flatnonzero((lengths >= _WORDS[0]) & (lengths <= _WORDS[1]))
    order = permute(np.arange(len(fitting)), max(len(fitting), 1), seed, "shown sentences")
    chosen: list[np.ndarray] = []
    for sentence in fitting[order]:
        ids = shard.tokens[shard.sentences[sentence] : shard.sentences[sentence + 1]].astype(np.int64)
        if not np.isin(ids, list(store.vocabulary.special_ids)).any() and store.vocabulary.starts_word[ids].sum() > 1:
            chosen.append(ids)
        if len(chosen) == count:
            break
    return split, chosen


def _sections(place: Path) -> dict[str, Any]:
    """The pages of the runs inside, by the name of their folder."""
    found = {name: RunFolder(place / name).read_result() for name in ("pretrained", "classifier", "from-scratch")}
    return {name: result[1] for name, result in found.items() if result is not None}


def _outcome(settings: QuickstartSettings, numbers: Mapping[str, Any]) -> Outcome:
    place = settings.output
    told = tuple(Phrase(en, zh) for en, zh in numbers["told"])
    report = place / "report.html"
    following = [command("inspect", place / "store")]
    if numbers["finetuning"]:
        following.insert(0, command("predict", place / "classifier" / "model", "…"))
    following.append(command("finetune", "YOUR.csv", "--model", place / "pretrained" / "model"))
    following.append("bertsmith quickstart --corpus YOUR_TEXTS/ --labels YOUR.csv --output yours")
    return Outcome(numbers, (*told, Phrase(f"report: {report}", f"报告：{report}")), tuple(following))
