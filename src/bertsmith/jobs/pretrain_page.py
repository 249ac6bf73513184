"""The report of a pretraining run: scores beside baselines, curves, the length of the shelf."""

from collections.abc import Mapping, Sequence
from typing import Any

from bertsmith.messages import Phrase
from bertsmith.messages.names import BASELINES, METRICS, named
from bertsmith.records.page import Cell, Chart, Item, Page, Paragraph, Section, Series, Table
from bertsmith.records.scores import Score
from bertsmith.training.pretraining.diagnostics.watch import SYMPTOMS, findings_of, told
from bertsmith.training.pretraining.general import GENERAL

_TRAINING, _HELD_OUT = Phrase("training, mean of steps", "训练（多步平均）"), Phrase("held out", "留出集")
_GENERAL = Phrase("general text", "通用文本")
_STEP = Phrase("step", "步")
_POINTS = 400  # of a smoothed curve


def page_of(log: Sequence[Mapping[str, Any]], scores: Sequence[Score]) -> Page:
    """The page of a finished run."""
    return Page(
        Phrase("Pretraining", "预训练"),
        summary_of(scores),
        (Section(Phrase("Result", "结果"), score_items(scores)), _diagnosis(log), curves_of(log, scores)),
    )


def _diagnosis(log: Sequence[Mapping[str, Any]]) -> Section:
    """What was found about the run; alarms first."""
    found = sorted(findings_of(log), key=lambda finding: not finding.note.warning)
    alarms = sum(finding.note.warning for finding in found)
    kinds = {True: Phrase("alarm", "警报"), False: Phrase("as it should be", "正常")}
    rows = tuple((finding.step, kinds[finding.note.warning], told(finding)) for finding in found)
    summary = Phrase(
        f"{alarms} of {len(SYMPTOMS)} symptoms were found." if alarms else f"None of {len(SYMPTOMS)} symptoms was found.",
        f"{len(SYMPTOMS)} 种症状中发现 {alarms} 种。" if alarms else f"{len(SYMPTOMS)} 种症状均未发现。",
    )
    table = Table(Phrase("Findings", "发现"), (_STEP, Phrase("kind", "类别"), Phrase("what", "内容")), rows)
    items: tuple[Item, ...] = (Paragraph(summary, "warning" if alarms else "good"), *((table,) if rows else ()))
    return Section(Phrase("Diagnosis", "诊断"), items)


def summary_of(scores: Sequence[Score]) -> Phrase:
    """One sentence: did the network learn more than frequencies?"""
    found = next((score for score in scores if score.metric == "mlm_loss" and score.split != GENERAL), None)
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
    """The tables of scores beside their baselines: of the held-out text, and of a general text."""
    parts = (
        (Phrase("Held-out text", "留出文本"), [score for score in scores if score.split != GENERAL]),
        (_GENERAL, [score for score in scores if score.split == GENERAL]),
    )
    columns = (Phrase("measure", "指标"), Phrase("BERT", "BERT"), Phrase("baseline", "对照"), Phrase("its value", "对照值"))
    return tuple(Table(title, columns, tuple(map(_row, part))) for title, part in parts if part)


def _row(score: Score) -> tuple[Cell, ...]:
    name, value = score.baseline or ("", float("nan"))
    return named(METRICS, score.metric), score, named(BASELINES, name), value


def curves_of(log: Sequence[Mapping[str, Any]], scores: Sequence[Score]) -> Section:
    """Loss and accuracy of both objectives over the steps."""
    steps = [entry for entry in log if "gradient_norm" in entry]
    evaluations = [entry for entry in log if entry.get("evaluation")]
    baselines = {score.metric: score.baseline for score in scores if score.baseline is not None and score.split != GENERAL}
    items: list[Item] = []
    for metric in ("mlm_loss", "mlm_accuracy", "nsp_accuracy", "sop_accuracy"):
        if not steps or metric not in steps[0]:
            continue
        series = [_smooth(steps, metric)]
        measured = [entry for entry in evaluations if metric in entry]  # none where no text is held out
        if measured:
            series.append(
                Series(_HELD_OUT, tuple(float(e["step"]) for e in measured), tuple(float(e[metric]) for e in measured))
            )
        if general := _of_general(log, metric):
            series.append(Series(_GENERAL, *general))
        if metric in baselines:
            name, value = baselines[metric]
            ends = (float(steps[0]["step"]), float(steps[-1]["step"]))
            series.append(Series(BASELINES[name], ends, (value, value), dashed=True))
        items.append(Chart(METRICS[metric], _STEP, METRICS[metric], tuple(series)))
    return Section(Phrase("Curves", "曲线"), tuple(items))


def _of_general(log: Sequence[Mapping[str, Any]], metric: str) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """Steps and values of a measure on the general text, from before the first step on; None where there is none."""
    name = f"{GENERAL}_{metric}"
    before = [(0.0, float(entry[f"before_{name}"])) for entry in log if f"before_{name}" in entry]
    points = before + [(float(entry["step"]), float(entry[name])) for entry in log if name in entry]
    return (tuple(step for step, _ in points), tuple(value for _, value in points)) if points else None


def _smooth(steps: Sequence[Mapping[str, Any]], metric: str) -> Series:
    width = max(len(steps) // _POINTS, 1)
    blocks = [steps[first : first + width] for first in range(0, len(steps), width)]
    return Series(
        _TRAINING,
        tuple(float(block[-1]["step"]) for block in blocks),
        tuple(sum(float(entry[metric]) for entry in block) / len(block) for block in blocks),
    )
