"""The model card: README.md of a model folder, in the readers' language."""

import os
from collections.abc import Sequence
from typing import TypedDict

from bertsmith.checkpoints.names import Part, shapes
from bertsmith.config.bert import BertConfig
from bertsmith.messages import Phrase
from bertsmith.messages.names import BASELINES, METRICS, SPLITS, named
from bertsmith.records.scores import Score


class CardFacts(TypedDict, total=False):
    """What a job tells about the model that it made; texts are in the readers' language, and each fact may be absent."""

    title: str
    summary: str  # what the model is for, in a sentence or two
    data: Sequence[str]  # what it learned from, a line each
    scores: Sequence[Score]
    text_languages: Sequence[str]  # codes such as en, zh


_HEADINGS = {
    "data": Phrase("Data", "数据"),
    "scores": Phrase("Scores", "得分"),
    "labels": Phrase("Labels", "标签"),
    "use": Phrase("How to use it", "如何使用"),
    "shape": Phrase("Shape", "结构"),
}
_SCORE_COLUMNS = Phrase(
    "| metric | value | split | n | seeds | baseline |", "| 指标 | 数值 | 数据划分 | 样本数 | 种子数 | 对照 |"
)
_SHAPE = Phrase(
    "BERT with {layers} layers of width {width}, {heads} heads, feed-forward width {inner}; {pieces} pieces, at most "
    "{positions} tokens; activation {activation}; {weights} weights.",
    "BERT：{layers} 层，宽度 {width}，{heads} 个注意力头，前馈宽度 {inner}；词表 {pieces} 个词片，最长 {positions} 个词元；"
    "激活函数 {activation}；共 {weights} 个参数。",
)
_SPREAD = Phrase("± is the standard deviation over the seeds.", "± 为各种子间的标准差。")
_PREDICT = ("bash", 'bertsmith predict FOLDER "a text"')
_FINETUNE = ("bash", "bertsmith finetune DATA.csv --model FOLDER")
_LOAD = ("python", 'import bertsmith\n\nbertsmith.load("FOLDER").predict(["a text"])')
_CLASSIFY = ("python", 'from transformers import pipeline\n\npipeline("text-classification", "FOLDER")("a text")')
_FILL = ("python", 'from transformers import pipeline\n\npipeline("fill-mask", "FOLDER")("a [MASK] text")')
_VECTORS = (
    "python",
    'from transformers import AutoModel, AutoTokenizer\n\ntokens = AutoTokenizer.from_pretrained("FOLDER")("a text", return_tensors="pt")\n'
    'AutoModel.from_pretrained("FOLDER")(**tokens).last_hidden_state',
)
_USES = {
    Part.CLASSIFIER: (_PREDICT, _LOAD, _CLASSIFY),
    Part.MLM: (_FINETUNE, _FILL),
    Part.ENCODER: (_FINETUNE, _VECTORS),
}
_PIPELINES = {Part.CLASSIFIER: "text-classification", Part.MLM: "fill-mask", Part.ENCODER: "feature-extraction"}


def write_card(config: BertConfig, parts: frozenset[Part], labels: Sequence[str], facts: CardFacts, language: str) -> str:
    """The text of README.md: YAML front matter for hubs, then what the model is, its data, scores and use.

    Args:
        config: the sizes.
        parts: the parts that the weights hold.
        labels: the names of the classes, empty without a classification head.
        facts: what the job tells.
        language: of the readers, `en` or `zh`.
    """
    use = next(part for part in (Part.CLASSIFIER, Part.MLM, Part.ENCODER) if part in parts)
    sections = [
        (None, [facts.get("summary", "")]),
        ("shape", [_shape(config, parts, len(labels), language)]),
        ("labels", [f"{number}. {name}" for number, name in enumerate(labels)]),
        ("data", [f"- {line}" for line in facts.get("data", ())]),
        ("scores", _scores(facts.get("scores", ()), language)),
        ("use", ["\n\n".join(f"```{kind}\n{code}\n```" for kind, code in _USES[use])]),
    ]
    text = _front_matter(facts.get("text_languages", ()), _PIPELINES[use])
    text += f"# {_printable(facts.get('title', 'BERT'))}\n"
    for heading, lines in sections:
        if any(lines):
            text += f"\n## {_HEADINGS[heading].text(language)}\n\n" if heading else "\n"
            text += "\n".join(lines) + "\n"
    return text


def _printable(name: str) -> str:
    """A name; bytes in that of a folder which are no UTF-8 are shown as such."""
    return os.fsencode(name).decode("utf-8", "replace")


def _front_matter(languages: Sequence[str], pipeline: str) -> str:
    lines = ["---"]
    if languages:
        lines += ["language:", *(f"- {code}" for code in languages)]
    lines += ["library_name: transformers", f"pipeline_tag: {pipeline}", "tags:", "- bert", "- bertsmith", "---", ""]
    return "\n".join(lines)


def _shape(config: BertConfig, parts: frozenset[Part], classes: int, language: str) -> str:
    sizes = [shape for part in parts for shape in shapes(config, part, classes).values()]
    weights = sum(shape[0] * (shape[1] if len(shape) > 1 else 1) for shape in sizes)
    return _SHAPE.text(language).format(
        layers=config.num_hidden_layers,
        width=config.hidden_size,
        heads=config.num_attention_heads,
        inner=config.intermediate_size,
        pieces=config.vocab_size,
        positions=config.max_position_embeddings,
        activation=config.hidden_act,
        weights=f"{weights:,}",
    )


def _scores(scores: Sequence[Score], language: str) -> list[str]:
    if not scores:
        return []
    rows = [
        f"| {_cell(METRICS, score.metric, language)} | {score.text()} | {_cell(SPLITS, score.split, language)} | {score.n} "
        f"| {score.seeds or '–'} | {_baseline(score, language)} |"
        for score in scores
    ]
    spread = ["", _SPREAD.text(language)] if any(score.spread is not None for score in scores) else []
    return [_SCORE_COLUMNS.text(language), "|---" * 6 + "|", *rows, *spread]


def _baseline(score: Score, language: str) -> str:
    return f"{_cell(BASELINES, score.baseline[0], language)} {score.baseline[1]:.3f}" if score.baseline else "–"


def _cell(names: dict[str, Phrase], key: str, language: str) -> str:
    return named(names, key).text(language).replace("|", "\\|")
