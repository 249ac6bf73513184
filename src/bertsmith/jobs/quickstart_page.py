"""The report of the quickstart: what was read, what was learned, what it is worth beside the simple models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bertsmith.jobs.outcome import told_score
from bertsmith.messages import Phrase
from bertsmith.messages.names import METRICS, SPLITS
from bertsmith.records.page import Cell, Page, Paragraph, Section, Table, from_json
from bertsmith.records.scores import Score

FOUND = {
    "libraries": Phrase("libraries", "库"),
    "modules": Phrase("modules", "模块"),
    "documents": Phrase("documents", "文档"),
    "sentences": Phrase("sentences", "句子"),
    "words": Phrase("words", "词"),
    "tokens": Phrase("tokens", "词元"),
    "repeated": Phrase("repeated lines dropped", "去掉的重复行"),
}
_COUNTED = {  # with the measure words that a Chinese sentence wants
    "libraries": "{n} 个库",
    "modules": "{n} 个模块",
    "documents": "{n} 篇文档",
    "sentences": "{n} 个句子",
    "words": "{n} 个词",
    "tokens": "{n} 个词元",
    "repeated": "去掉 {n} 个重复行",
}
MODELS = {
    "pretrained": Phrase("BERT, pretrained here", "BERT（在此预训练）"),
    "scratch": Phrase("the same network without pretraining", "同一网络，不预训练"),
    "tf-idf": Phrase("TF-IDF + logistic regression", "TF-IDF + 逻辑回归"),
    "majority": Phrase("majority class", "多数类"),
}


@dataclass(frozen=True)
class Knowledge:
    """What the pretrained network knows without labels.

    Args:
        fillings: text with a mask, what stood there, and the likeliest pieces with probabilities.
        preferred: share of true sentences that are likelier than themselves with two words swapped.
        pairs: of how many; 0 where the text has no sentence that is fit to be asked about.
        split: where the sentences stand, `held-out`, or `train` where nothing is held out.
    """

    fillings: tuple[tuple[str, str, tuple[tuple[str, float], ...]], ...]
    preferred: float
    pairs: int
    split: str


@dataclass(frozen=True)
class Parts:
    """Everything that the page shows.

    Args:
        found: counts of the text.
        pretraining: numbers of the pretraining run.
        knowledge: the probes.
        tuned: numbers of the fine-tuning runs, `pretrained` and `scratch`; empty without labels.
        pages: the pages of the runs inside.
        seconds: how long this call took.
    """

    found: Mapping[str, int]
    pretraining: Mapping[str, Any]
    knowledge: Knowledge
    tuned: Mapping[str, Mapping[str, Any]]
    pages: Mapping[str, Page]
    seconds: float


def page_of(parts: Parts) -> Page:
    """The page."""
    pretrained = parts.pages["pretrained"]
    sections = [
        Section(Phrase("Text", "文本"), (_found_table(parts.found),)),
        Section(Phrase("Pretraining", "预训练"), (Paragraph(pretrained.summary), *pretrained.sections[0].items)),
        Section(Phrase("What it knows without labels", "不靠标签学到了什么"), _knowledge_items(parts.knowledge)),
    ]
    if parts.tuned:
        verdict = verdict_of(parts)
        sections.append(
            Section(
                Phrase("Fine-tuning", "微调"),
                (
                    Paragraph(verdict[0], "good" if verdict[1] else "warning"),
                    model_table(parts),
                    Paragraph(parts.pages["classifier"].summary),
                ),
            )
        )
        sections += parts.pages["classifier"].sections[1:2]
    sections.append(Section(Phrase("Curves of pretraining", "预训练曲线"), pretrained.sections[1].items))
    if parts.tuned:
        sections.append(Section(Phrase("Curves of fine-tuning", "微调曲线"), parts.pages["classifier"].sections[2].items))
    summary = verdict_of(parts)[0] if parts.tuned else pretrained.summary
    return Page(Phrase("From raw text to a measured BERT", "从原始文本到评测过的 BERT"), summary, tuple(sections))


def told_of(parts: Parts) -> tuple[Phrase, ...]:
    """The result as lines for the command line."""
    lines = [Phrase("", ""), _found_line(parts.found), Phrase("", ""), Phrase("Pretraining", "预训练")]
    scores: Sequence[Score] = from_json(parts.pretraining["scores"])
    lines += [_indented(told_score(score)) for score in scores]
    lines.append(_indented(_preferred(parts.knowledge)))
    for filled, truth, pieces in parts.knowledge.fillings:
        answers = ", ".join(f"{piece} {p:.2f}" for piece, p in pieces)
        lines.append(Phrase(f"    {filled}  →  {answers}  (was: {truth})", f"    {filled}  →  {answers}（原为：{truth}）"))
    if parts.tuned:
        lines += [Phrase("", ""), Phrase("Fine-tuning, test (dev)", "微调：测试集（开发集）")]
        lines += [_model_line(name, row) for name, row in model_rows(parts)]
        lines.append(verdict_of(parts)[0])
    lines += [Phrase("", ""), Phrase(f"took {parts.seconds / 60:.1f} min", f"用时 {parts.seconds / 60:.1f} 分钟")]
    return tuple(lines)


def _found_line(found: Mapping[str, int]) -> Phrase:
    known = [(name, f"{count:,}") for name, count in found.items() if name in FOUND]
    en = "  ".join(f"{count} {FOUND[name].en}" for name, count in known)
    return Phrase(f"Text: {en}", f"文本：{'，'.join(_COUNTED[name].format(n=count) for name, count in known)}")


def model_rows(parts: Parts) -> list[tuple[Phrase, tuple[Score, Score]]]:
    """Dev and test accuracy of every model: the two networks over seeds, and the simple models."""
    rows = []
    for name in ("pretrained", "scratch"):
        seeds = parts.tuned[name]["seeds"]
        dev, test = (
            Score.over_seeds("accuracy", [seed[split]["accuracy"] for seed in seeds], split, seeds[0][split]["n"])
            for split in ("dev", "test")
        )
        rows.append((MODELS[name], (dev, test)))
    for key, floor in reversed(parts.tuned["pretrained"]["baselines"].items()):
        dev, test = (Score("accuracy", floor[split]["accuracy"], split, floor[split]["n"]) for split in ("dev", "test"))
        rows.append((MODELS[key], (dev, test)))
    return rows


def model_table(parts: Parts) -> Table:
    """The models beside one another."""
    metric = METRICS["accuracy"]
    columns = (
        Phrase("model", "模型"),
        *(Phrase(f"{metric.en}, {SPLITS[split].en}", f"{metric.zh}，{SPLITS[split].zh}") for split in ("dev", "test")),
    )
    rows: list[tuple[Cell, ...]] = [(name, *scores) for name, scores in model_rows(parts)]
    return Table(Phrase("The classifier beside simple models", "分类器与简单模型"), columns, tuple(rows), highlight=0)


def verdict_of(parts: Parts) -> tuple[Phrase, bool]:
    """Whether pretraining helped: every seed with it is better on test than every seed without."""
    (_, (_, ours)), (_, (_, scratch)) = model_rows(parts)[:2]
    with_it, without = ([seed["test"]["accuracy"] for seed in parts.tuned[name]["seeds"]] for name in ("pretrained", "scratch"))
    values = f"{ours.text()} / {scratch.text()}"
    if min(with_it) > max(without):
        return (
            Phrase(
                f"Pretraining helps: test accuracy {ours.text()} with it, {scratch.text()} without.",
                f"预训练有帮助：测试集准确率 {ours.text()}，不预训练为 {scratch.text()}。",
            ),
            True,
        )
    return (
        Phrase(
            f"Pretraining does not clearly help here: test accuracy with it / without it: {values}.",
            f"此处预训练没有明显帮助：测试集准确率（预训练 / 不预训练）为 {values}。",
        ),
        False,
    )


def _found_table(found: Mapping[str, int]) -> Table:
    columns = (Phrase("what", "内容"), Phrase("count", "数量"))
    rows = tuple((FOUND[name], f"{count:,}") for name, count in found.items() if name in FOUND)
    return Table(Phrase("What was read", "读到的内容"), columns, rows)


def _knowledge_items(knowledge: Knowledge) -> tuple[Paragraph | Table, ...]:
    columns = (Phrase("sentence", "句子"), Phrase("stood there", "原词"), Phrase("likeliest", "最可能的词"))
    rows = tuple(
        (text, truth, ", ".join(f"{piece} {p:.2f}" for piece, p in pieces)) for text, truth, pieces in knowledge.fillings
    )
    if not rows:
        return (Paragraph(_preferred(knowledge)),)
    title = Phrase(
        f"Masks filled in sentences chosen at random ({SPLITS[knowledge.split].en})",
        f"随机选取的句子中的填空（{SPLITS[knowledge.split].zh}）",
    )
    return (Paragraph(_preferred(knowledge)), Table(title, columns, rows))


def _preferred(knowledge: Knowledge) -> Phrase:
    if not knowledge.pairs:
        return Phrase(
            "The text has no sentence of a middling length to probe the network with.",
            "文本中没有长度适中的句子可用来探查网络。",
        )
    share, pairs, split = f"{knowledge.preferred:.1%}", knowledge.pairs, SPLITS[knowledge.split]
    return Phrase(
        f"Of {pairs} true sentences ({split.en}) against the same with two words swapped, "
        f"the masked LM prefers the true one in {share} (chance: 50 %).",
        f"取 {pairs} 个句子（{split.zh}），与交换其中两个词后的句子相比，掩码语言模型在 {share} 的情形下偏好原句（随机为 50 %）。",
    )


def _model_line(name: Phrase, scores: tuple[Score, Score]) -> Phrase:
    dev, test = scores
    return Phrase(f"  {name.en:40} {test.text():>16}  ({dev.text()})", f"  {name.zh}：{test.text()}（{dev.text()}）")


def _indented(phrase: Phrase) -> Phrase:
    return Phrase(f"  {phrase.en}", f"  {phrase.zh}")
