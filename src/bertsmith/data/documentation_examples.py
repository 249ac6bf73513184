"""Labelled examples whose labels come for free from the documentation, split by module so that nothing leaks.

Train, dev and test examples come from train, dev and test modules; the pretraining text is that of the train modules. Each
label has about the same number of examples, so that the majority class is a weak baseline.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from bertsmith import seeds
from bertsmith.data.documentation import SPLITS, Documentation, DocumentedText, Split

BLANK = "[MASK]"  # stands for the word to choose; a BERT's vocabulary has it as one piece
CONNECTIVES = ("if", "when", "that", "which", "and", "or")

_SENTENCE_WORDS = (8, 32)


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How many examples each split holds at most, all labels together."""

    train: int = 2000
    dev: int = 800
    test: int = 1500


@dataclass
class Examples:
    """The examples of one split: texts and labels."""

    texts: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class LabelledExamples:
    """A task: its labels in order and its examples by split."""

    labels: tuple[str, ...]
    train: Examples
    dev: Examples
    test: Examples


@dataclass(frozen=True)
class _Candidate:
    text: str
    label: str


def word_examples(documentation: Documentation, words: Sequence[str], *, sizes: Sizes = Sizes(), seed: int) -> LabelledExamples:
    """Which of some small words was blanked out of a sentence: one place a sentence, the words equally often.

    Args:
        words: the words to choose from, such as `CONNECTIVES`.
    """

    def candidates(documents: list[DocumentedText]) -> Iterator[_Candidate]:
        sentences = _middling(documents)
        for sentence, draw in zip(sentences, _draws(len(sentences), seed, "blank"), strict=True):
            tokens = sentence.split()
            places = [place for place, token in enumerate(tokens) if token in words and 0 < place < len(tokens) - 1]
            if places:
                place = places[int(draw * len(places))]
                yield _Candidate(" ".join([*tokens[:place], BLANK, *tokens[place + 1 :]]), tokens[place])

    return _examples(documentation, tuple(words), candidates, sizes, seed, "words")


def _examples(
    documentation: Documentation,
    labels: tuple[str, ...],
    candidates: Callable[[list[DocumentedText]], Iterable[_Candidate]],
    sizes: Sizes,
    seed: int,
    purpose: str,
) -> LabelledExamples:
    seen: set[str] = set()
    chosen: dict[Split, Examples] = {}
    for split in SPLITS:
        unique = []
        for candidate in candidates(documentation.of(split)):
            if candidate.text.lower() not in seen:
                seen.add(candidate.text.lower())
                unique.append(candidate)
        chosen[split] = _balanced(unique, labels, getattr(sizes, split), seed, f"{purpose}-{split}")
    return LabelledExamples(labels, chosen["train"], chosen["dev"], chosen["test"])


def _balanced(candidates: list[_Candidate], labels: tuple[str, ...], size: int, seed: int, purpose: str) -> Examples:
    """At most `size` candidates in random order, no label with more than its equal share.

    The labels are mixed anew after the choice: in the order of the draw, frequent ones would come first and rare ones last.
    """
    cap = size // len(labels)
    taken: Counter[str] = Counter()
    chosen = []
    for number in np.argsort(seeds.bits(seed, f"{purpose}-choice", np.arange(len(candidates))), kind="stable"):
        taken[candidates[number].label] += 1
        if taken[candidates[number].label] <= cap:
            chosen.append(candidates[number])
    order = np.argsort(seeds.bits(seed, f"{purpose}-order", np.arange(len(chosen))), kind="stable")
    ordered = [chosen[number] for number in order]
    return Examples(
        [candidate.text for candidate in ordered],
        [candidate.label for candidate in ordered],
    )


def _middling(documents: list[DocumentedText]) -> list[str]:
    low, high = _SENTENCE_WORDS
    return [sentence for document in documents for sentence in document.sentences if low <= sentence.count(" ") + 1 <= high]


def _draws(count: int, seed: int, purpose: str) -> list[float]:
    """Numbers in [0, 1), one for each of `count` things."""
    draws: list[float] = seeds.uniform(seed, purpose, np.arange(count)).tolist()
    return draws
