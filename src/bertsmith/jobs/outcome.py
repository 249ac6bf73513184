"""What a job hands back: plain numbers for programs, lines in both languages for people."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bertsmith.messages import Phrase
from bertsmith.records.scores import Score


@dataclass(frozen=True)
class Outcome:
    """The end of a job.

    Args:
        numbers: everything that was found, as JSON can hold it.
        told: the result, a phrase a line.
        following: commands that a person may type next.
    """

    numbers: Mapping[str, Any]
    told: tuple[Phrase, ...]
    following: tuple[str, ...] = ()

    def lines(self, language: str) -> list[str]:
        """The result and the next commands, in `en` or `zh`."""
        lines = [phrase.text(language) for phrase in self.told]
        if self.following:
            lines += ["", Phrase("Next:", "接下来：").text(language), *(f"  {command}" for command in self.following)]
        return lines


def command(*words: object) -> str:
    """A command as it is typed, with quotes where a path needs them."""
    return shlex.join(["bertsmith", *map(str, words)])


METRICS = {
    "mlm_loss": Phrase("masked LM loss (nats)", "掩码语言模型损失（nat）"),
    "mlm_accuracy": Phrase("masked LM accuracy", "掩码语言模型准确率"),
    "nsp_accuracy": Phrase("next-sentence accuracy", "下一句准确率"),
    "accuracy": Phrase("accuracy", "准确率"),
    "macro_f1": Phrase("macro F1", "宏平均 F1"),
    "mcc": Phrase("Matthews correlation", "马修斯相关系数"),
}
SPLITS = {
    "held-out": Phrase("held out", "留出集"),
    "train": Phrase("train", "训练集"),
    "dev": Phrase("dev", "开发集"),
    "test": Phrase("test", "测试集"),
}
BASELINES = {
    "unigram": Phrase("unigram", "一元频率"),
    "majority": Phrase("majority", "多数类"),
    "scratch": Phrase("without pretraining", "不预训练"),
}


def told_score(score: Score) -> Phrase:
    """A score with everything that it is: metric, value, split, n, seeds, baseline."""

    def text(language: str) -> str:
        zh = language == "zh"
        parts = [f"n = {score.n:,}"]
        if score.seeds > 1:
            parts.append(f"{score.seeds} 个种子" if zh else f"{score.seeds} seeds")
        if score.baseline is not None:
            name, value = score.baseline
            shown = BASELINES[name].text(language) if name in BASELINES else name
            parts.append(f"{shown} {value:.3f}")
        metric = METRICS[score.metric].text(language) if score.metric in METRICS else score.metric
        split = SPLITS[score.split].text(language) if score.split in SPLITS else score.split
        return (
            f"{metric}：{score.text()}（{split}，{'，'.join(parts)}）"
            if zh
            else f"{metric}: {score.text()} ({split}, {', '.join(parts)})"
        )

    return Phrase(text("en"), text("zh"))
