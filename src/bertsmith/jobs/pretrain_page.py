"""The report of a pretraining run: scores beside baselines, curves, the length of the shelf."""

from collections.abc import Mapping, Sequence
from typing import Any

from bertsmith.messages import Phrase
from bertsmith.messages.names import BASELINES, METRICS, named
from bertsmith.records.page import Chart, Item, Page, Section, Series, Table
from bertsmith.records.scores import Score

_TRAINING, _HELD_OUT = Phrase("training, mean of steps", "训练（多步平均）"), Phrase("held out", "留出集")
_STEP = Phrase("step", "步")
_POINTS = 400  # of a smoothed curve


def page_of(log: Sequence[Mapping[str, Any]], scores: Sequence[Score]) -> Page:
    """The page of a finished run."""
    return Page(
        Phrase("Pretraining", "预训练"),
        summary_of(scores),
        (Section(Phrase("Result", "结果"), score_items(scores)), curves_of(log, scores)),
    )


def summary_of(scores: Sequence[Score]) -> Phrase:
    """One sentence: did the network learn more than frequencies?"""
    found = next((score for score in scores if score.metric == "mlm_loss"), None)
    if found is None or found.baseline is None:
        return Phrase("Trained; no text was held out, so nothing was measured.", "训练完成；没有留出文本，因此未做评测。")
    ours, unigram = f"{found.value:.2f}", f"{found.baseline[1]:.2f}"
    if found.value < found.baseline[1]:
        return Phrase(
            f"Held-out masked LM loss {ours} nats; guessing by frequency reaches {unigram}.",
            f"留出集掩码语言模型损失 {ours} nat；按词频猜测为 {unigram}。",
        )
    return Phrase(
        f"Held-out masked LM loss {ours} nats is no better than guessing by frequency ({unigram}): the network has learned nothing of context yet.",
        f"留出集掩码语言模型损失 {ours} nat，不优于按词频猜测（{unigram}）：网络尚未学到上下文。",
    )


def score_items(scores: Sequence[Score]) -> tuple[Item, ...]:
    """The table of held-out scores beside their baselines."""
    rows = []
    for score in scores:
        name, value = score.baseline or ("", float("nan"))
        rows.append((named(METRICS, score.metric), score, named(BASELINES, name), value))
    if not rows:
        return ()
    columns = (Phrase("measure", "指标"), Phrase("BERT", "BERT"), Phrase("baseline", "对照"), Phrase("its value", "对照值"))
    return (Table(Phrase("Held-out text", "留出文本"), columns, tuple(rows)),)


def curves_of(log: Sequence[Mapping[str, Any]], scores: Sequence[Score]) -> Section:
    """Loss and accuracy of both objectives over the steps."""
    steps = [entry for entry in log if "gradient_norm" in entry]
    evaluations = [entry for entry in log if entry.get("evaluation")]
    baselines = {score.metric: score.baseline for score in scores if score.baseline is not None}
    items: list[Item] = []
    for metric in ("mlm_loss", "mlm_accuracy", "nsp_accuracy"):
        if not steps or metric not in steps[0]:
            continue
        series = [_smooth(steps, metric)]
        measured = [entry for entry in evaluations if metric in entry]  # none where no text is held out
        if measured:
            series.append(
                Series(_HELD_OUT, tuple(float(e["step"]) for e in measured), tuple(float(e[metric]) for e in measured))
            )
        if metric in baselines:
            name, value = baselines[metric]
            ends = (float(steps[0]["step"]), float(steps[-1]["step"]))
            series.append(Series(BASELINES[name], ends, (value, value), dashed=True))
        items.append(Chart(METRICS[metric], _STEP, METRICS[metric], tuple(series)))
    return Section(Phrase("Curves", "曲线"), tuple(items))


def _smooth(steps: Sequence[Mapping[str, Any]], metric: str) -> Series:
    width = max(len(steps) // _POINTS, 1)
    blocks = [steps[first : first + width] for first in range(0, len(steps), width)]
    return Series(
        _TRAINING,
        tuple(float(block[-1]["step"]) for block in blocks),
        tuple(sum(float(entry[metric]) for entry in block) / len(block) for block in blocks),
    )
