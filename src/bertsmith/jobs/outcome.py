"""What a job hands back: plain numbers for programs, lines in both languages for people."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bertsmith.messages import Phrase
from bertsmith.messages.names import BASELINES, METRICS, SPLITS, named
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


def told_score(score: Score, others: Sequence[tuple[str, float]] = ()) -> Phrase:
    """A score with everything that it is: metric, value, split, n, seeds, baseline.

    Args:
        score: the score.
        others: names and values of further baselines.
    """

    def text(language: str) -> str:
        zh = language == "zh"
        parts = [f"n = {score.n:,}"]
        if score.seeds > 1:
            parts.append(f"{score.seeds} 个种子" if zh else f"{score.seeds} seeds")
        for name, value in (*([] if score.baseline is None else [score.baseline]), *others):
            parts.append(f"{named(BASELINES, name).text(language)} {value:.3f}")
        metric, split = named(METRICS, score.metric).text(language), named(SPLITS, score.split).text(language)
        return (
            f"{metric}：{score.text()}（{split}，{'，'.join(parts)}）"
            if zh
            else f"{metric}: {score.text()} ({split}, {', '.join(parts)})"
        )

    return Phrase(text("en"), text("zh"))
