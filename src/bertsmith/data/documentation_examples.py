"""Labelled examples whose labels come for free from the documentation, split by module so that nothing leaks.

Train, dev and test examples come from train, dev and test modules; the pretraining text is that of the train modules. Each
label has about the same number of examples, so that the majority class is a weak baseline.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from bertsmith import seeds
from bertsmith.data.documentation import SPLITS, Documentation, DocumentedText, Split
from bertsmith.data.documentation_sources import STANDARD_LIBRARY

BLANK = "[MASK]"  # stands for the word to choose; a BERT's vocabulary has it as one piece
PREPOSITIONS = ("of", "in", "to", "for", "with", "by")
VERBS = ("is", "are", "was", "be", "has")
CONNECTIVES = ("if", "when", "that", "which", "and", "or")

_LIBRARIES = 8
_OPENING_WORDS = (12, 60)
_SENTENCE_WORDS = (8, 32)
_ALIASES = ("np", "plt", "mpl", "nx", "pd", "sp", "sklearn", "scikit", "learn", "pytorch", "aten", "cpython", "hf")
_NEUTRAL = "it"
_LATIN = (("e.g.", "for example"), ("i.e.", "that is"))
# Words that only a program has: with a dot, underscore or call inside, in camel case, letters with digits.
_IDENTIFIER = re.compile(
    r"[^\s(]*(?:[^\W\d][._]\w|_\w|\w_|\w\(\S*?\)|[a-z][A-Z]|[A-Z]{2}[a-z]|[A-Za-z]\d|\d[A-Za-z]|::|[={}<>\[\]@])\S*?(?=[.,;:!?)]*(?:\s|$))"
)
_REPEATED_NEUTRAL = re.compile(rf"\b{_NEUTRAL}(?:[\s,/]+{_NEUTRAL}\b)+")
_LOWER_WORD = re.compile(r"[a-z]{2,}$")


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How many examples each split holds at most, all labels together."""

    train: int = 2000
    dev: int = 800
    test: int = 1500


@dataclass
class Examples:
    """The examples of one split: texts, the second texts where the task judges pairs (else empty), labels."""

    texts: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    seconds: list[str] = field(default_factory=list)


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
    second: str = ""


def library_examples(documentation: Documentation, *, sizes: Sizes = Sizes(), seed: int) -> LabelledExamples:
    """Which library the opening of a docstring is from; names that tell it are replaced by "it".

    The labels are the eight libraries with the most such openings in the train modules.
    """
    counts = Counter(document.library for document, *_ in _openings(documentation.of("train")))
    libraries = tuple(
        sorted(library for library, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_LIBRARIES])
    )
    tell_tale = _tell_tale_names(documentation.of("train"), libraries)

    def candidates(documents: list[DocumentedText]) -> Iterator[_Candidate]:
        for document, name, opening, _ in _openings(documents):
            if document.library in libraries:
                yield _Candidate(_without_names(opening, tell_tale, name), document.library)

    return _examples(documentation, libraries, candidates, sizes, seed, "library")


def word_examples(documentation: Documentation, words: Sequence[str], *, sizes: Sizes = Sizes(), seed: int) -> LabelledExamples:
    """Which of some small words was blanked out of a sentence: one place a sentence, the words equally often.

    Args:
        words: the words to choose from, such as `PREPOSITIONS`.
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


def order_examples(documentation: Documentation, *, sizes: Sizes = Sizes(), seed: int) -> LabelledExamples:
    """Whether a sentence is as it was written ("true") or has two neighbouring words in each other's place ("swapped")."""

    def candidates(documents: list[DocumentedText]) -> Iterator[_Candidate]:
        sentences = _middling(documents)
        swaps, draws = _draws(len(sentences), seed, "swap"), _draws(len(sentences), seed, "swap-place")
        for sentence, swap, draw in zip(sentences, swaps, draws, strict=True):
            tokens = sentence.split()
            places = [place for place in range(1, len(tokens) - 1) if _swappable(tokens[place], tokens[place + 1])]
            if places and swap < 0.5:
                place = places[int(draw * len(places))]
                tokens[place : place + 2] = tokens[place + 1], tokens[place]
                yield _Candidate(" ".join(tokens), "swapped")
            elif places:
                yield _Candidate(sentence, "true")

    return _examples(documentation, ("swapped", "true"), candidates, sizes, seed, "order")


def belonging_examples(documentation: Documentation, *, sizes: Sizes = Sizes(), seed: int) -> LabelledExamples:
    """Whether a later sentence is from a docstring ("yes") or from another one of the same library ("no"), by the docstring's opening."""

    def candidates(documents: list[DocumentedText]) -> Iterator[_Candidate]:
        by_library: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
        for document, _, opening, rest in _openings(documents):
            if later := tuple(sentence for sentence in rest if len(sentence.split()) >= _SENTENCE_WORDS[0]):
                by_library.setdefault(document.library, []).append((opening, later))
        for library, pairs in by_library.items():
            places, others = _draws(len(pairs), seed, f"later-{library}"), _draws(len(pairs), seed, f"other-{library}")
            for number, (opening, _) in enumerate(pairs):
                label = "yes" if number % 2 == 0 else "no"
                later = pairs[number if label == "yes" else (number + 1 + int(others[number] * (len(pairs) - 1))) % len(pairs)][
                    1
                ]
                yield _Candidate(opening, label, later[int(places[number] * len(later))])

    return _examples(documentation, ("no", "yes"), candidates, sizes, seed, "belonging")


def _examples(
    documentation: Documentation,
    labels: tuple[str, ...],
    candidates: Callable[[list[DocumentedText]], Iterable[_Candidate]],
    sizes: Sizes,
    seed: int,
    purpose: str,
) -> LabelledExamples:
    seen: set[tuple[str, str]] = set()
    chosen: dict[Split, Examples] = {}
    for split in SPLITS:
        unique = []
        for candidate in candidates(documentation.of(split)):
            key = (candidate.text.lower(), candidate.second.lower())
            if key not in seen:
                seen.add(key)
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
        [candidate.second for candidate in ordered if candidate.second],
    )


def _openings(documents: list[DocumentedText]) -> Iterator[tuple[DocumentedText, str, str, tuple[str, ...]]]:
    """How each docstring begins, in as many sentences as make twelve words: document, name of the object, opening, the other sentences."""
    low, high = _OPENING_WORDS
    for document in documents:
        for passage in document.passages:
            words = taken = 0
            while words < low and taken < len(passage.sentences):
                words += len(passage.sentences[taken].split())
                taken += 1
            if passage.kind != "topic" and low <= words <= high:
                yield document, passage.name, " ".join(map(_ended, passage.sentences[:taken])), passage.sentences[taken:]


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?", ":", ";")) else f"{sentence}."


def _middling(documents: list[DocumentedText]) -> list[str]:
    low, high = _SENTENCE_WORDS
    return [sentence for document in documents for sentence in document.sentences if low <= sentence.count(" ") + 1 <= high]


def _draws(count: int, seed: int, purpose: str) -> list[float]:
    """Numbers in [0, 1), one for each of `count` things."""
    draws: list[float] = seeds.uniform(seed, purpose, np.arange(count)).tolist()
    return draws


def _swappable(left: str, right: str) -> bool:
    return left != right and bool(_LOWER_WORD.match(left) and _LOWER_WORD.match(right))


def _tell_tale_names(documents: list[DocumentedText], libraries: Sequence[str]) -> re.Pattern[str]:
    """The names of some libraries, of their import packages, and the usual short forms, as whole words."""
    names = {*libraries, *_ALIASES}
    names |= {
        document.module.split(".")[0]
        for document in documents
        if document.library in libraries and document.library != STANDARD_LIBRARY
    }
    longest_first = sorted({name.lower() for name in names}, key=lambda name: (-len(name), name))
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, longest_first))})\b", re.IGNORECASE)


def _without_names(text: str, tell_tale: re.Pattern[str], own: str) -> str:
    """A text with "it" for each tell-tale name, for each identifier of a program, and for the name of the object itself."""
    for latin, english in _LATIN:
        text = text.replace(latin, english)
    text = _IDENTIFIER.sub(_NEUTRAL, text)
    text = tell_tale.sub(_NEUTRAL, text)
    if own in text:
        text = re.sub(rf"(?<!\w){re.escape(own)}(?!\w)", _NEUTRAL, text)
    return _REPEATED_NEUTRAL.sub(_NEUTRAL, text)
