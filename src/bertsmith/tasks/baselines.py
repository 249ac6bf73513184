"""What a fine-tuned BERT has to beat: always the largest class, and TF-IDF with logistic regression. scikit-learn loads only when used."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bertsmith.data.examples import Examples
from bertsmith.messages import Phrase
from bertsmith.progress import Advance, Listener, Stage, ignore
from bertsmith.tasks.classification import Classification
from bertsmith.tasks.metrics import ClassificationResult, classification_result
from bertsmith.tasks.task import Targets

_STRENGTHS = (1.0, 4.0, 16.0)  # C of the logistic regression; on sentiment in both languages the best lies among them
_WORDS = {"analyzer": "word", "ngram_range": (1, 2), "token_pattern": r"(?u)\b\w+\b"}
_CHARACTERS = {"analyzer": "char", "ngram_range": (1, 4)}  # four characters hold nearly all Chinese words
_KINDS = {"words": (_WORDS,), "characters": (_CHARACTERS,), "words and characters": (_WORDS, _CHARACTERS)}
_LONGEST = 2000  # characters of a text that are read; a BERT of 512 tokens sees about as many; assumed
_UNSPACED = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]")  # Thai, Lao, kana, Chinese characters
_UNSPACED_SHARE = 0.3  # of the characters, from which a text has no words between blanks; assumed
_RARE_FROM = 1000  # training rows from which n-grams of one text only are left out, for memory


@dataclass(frozen=True)
class Baseline:
    """A simple model's scores; whatever it chose, it chose on dev.

    Args:
        key: `majority` or `tf-idf`.
        name: for readers.
        chosen: what dev chose, by name.
        dev: scores on dev.
        test: scores on test.
        test_answers: class numbers on test, for paired differences.
    """

    key: str
    name: Phrase
    chosen: dict[str, str | float]
    dev: ClassificationResult
    test: ClassificationResult
    test_answers: Targets


def baselines(
    task: Classification, train: Examples, dev: Examples, test: Examples, listen: Listener = ignore
) -> list[Baseline]:
    """Every baseline of a classification; TF-IDF is left out where no text holds a character."""
    found = (majority(task, train, dev, test), tfidf(task, train, dev, test, listen))
    return [baseline for baseline in found if baseline is not None]


def majority(task: Classification, train: Examples, dev: Examples, test: Examples) -> Baseline:
    """Always the class that is largest in train."""
    largest = int(np.bincount(_targets(task, train)).argmax())
    dev_answers, test_answers = np.full(len(dev), largest), np.full(len(test), largest)
    return Baseline(
        "majority",
        Phrase("majority class", "多数类"),
        {"class": task.labels[largest]},
        _result(task, dev, dev_answers),
        _result(task, test, test_answers),
        test_answers,
    )


def tfidf(task: Classification, train: Examples, dev: Examples, test: Examples, listen: Listener = ignore) -> Baseline | None:
    """Logistic regression on TF-IDF of words, of characters, or of both; dev chooses which, and how strongly it is regularised.

    Words are n-grams of 1 and 2, characters of 1 to 4, with sublinear counts. Pairs are told by both texts, by what they share
    (product) and by what sets them apart (absolute difference).

    Returns:
        None where no text of train holds a character.
    """
    kinds = _KINDS if _spaced(train.texts) else {"characters": (_CHARACTERS,)}
    listen(Stage("tf-idf", len(kinds) * len(_STRENGTHS), "fits"))
    best: _Fit | None = None
    parts: dict[str, _Matrices | None] = {}
    for kind, analyzers in kinds.items():
        for analyzer in analyzers:
            name = str(analyzer["analyzer"])
            if name not in parts:
                parts[name] = _matrices(analyzer, train, dev, test)
        blocks = [block for analyzer in analyzers if (block := parts[str(analyzer["analyzer"])])]
        if len(blocks) == len(analyzers):
            best = _best_fit(task, kind, _side_by_side(blocks), (train, dev), best)
        listen(Advance((list(kinds).index(kind) + 1) * len(_STRENGTHS)))
    if best is None:
        return None
    test_answers = best.predict(best.matrices.test)
    return Baseline(
        "tf-idf",
        Phrase("TF-IDF + logistic regression", "TF-IDF + 逻辑回归"),
        {"features": best.kind, "C": best.strength},
        best.dev,
        _result(task, test, test_answers),
        test_answers,
    )


@dataclass(frozen=True)
class _Matrices:
    """Features of each side, a sparse row an example."""

    train: Any
    dev: Any
    test: Any


@dataclass(frozen=True)
class _Fit:
    kind: str
    strength: float
    dev: ClassificationResult
    predict: Callable[[Any], Targets]
    matrices: _Matrices


def _best_fit(
    task: Classification, kind: str, matrices: _Matrices, sides: tuple[Examples, Examples], best: _Fit | None
) -> _Fit | None:
    """The better of `best` and the fits on these features; ties stay with the one before."""
    from sklearn.linear_model import LogisticRegression

    train, dev = sides
    targets = _targets(task, train)
    for strength in _STRENGTHS:
        # newton-cg: fast for two and for many classes; at tolerance 1e-3 lbfgs stopped up to 6 points lower on ChnSentiCorp
        model = LogisticRegression(C=strength, solver="newton-cg", tol=1e-4, max_iter=200).fit(matrices.train, targets)
        result = _result(task, dev, model.predict(matrices.dev))
        if best is None or result.selected > best.dev.selected:
            best = _Fit(kind, strength, result, model.predict, matrices)
    return best


def _matrices(analyzer: dict[str, Any], train: Examples, dev: Examples, test: Examples) -> _Matrices | None:
    """TF-IDF learned on train; None where it holds nothing that the analyzer sees."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    rare = 2 if len(train) >= _RARE_FROM else 1
    vectorizer = TfidfVectorizer(sublinear_tf=True, min_df=rare, dtype=np.float32, **analyzer)
    try:
        learned = vectorizer.fit_transform(_cut([*train.texts, *(train.pairs or ())]))
    except ValueError:  # scikit-learn's word for an empty vocabulary
        return None
    first = learned if train.pairs is None else _features(vectorizer, train)
    return _Matrices(first, _features(vectorizer, dev), _features(vectorizer, test))


def _features(vectorizer: Any, examples: Examples) -> Any:
    from scipy.sparse import hstack

    first = vectorizer.transform(_cut(examples.texts))
    if examples.pairs is None:
        return first
    second = vectorizer.transform(_cut(examples.pairs))
    shared = first.multiply(second)
    return hstack([first, second, shared, abs(first - second), shared.sum(axis=1)], format="csr", dtype=np.float32)


def _side_by_side(blocks: Sequence[_Matrices]) -> _Matrices:
    from scipy.sparse import hstack

    if len(blocks) == 1:
        return blocks[0]
    return _Matrices(*(hstack([getattr(block, side) for block in blocks], format="csr") for side in ("train", "dev", "test")))


def _cut(texts: Sequence[str]) -> list[str]:
    return [text[:_LONGEST] for text in texts]


def _spaced(texts: Sequence[str]) -> bool:
    """Whether blanks stand between the words, as in English and not in Chinese."""
    unspaced = sum(len(_UNSPACED.findall(text)) for text in texts)
    return unspaced < _UNSPACED_SHARE * sum(map(len, texts))


def _targets(task: Classification, examples: Examples) -> Targets:
    return task.targets(examples.labels or (), examples.path)


def _result(task: Classification, examples: Examples, answers: Targets) -> ClassificationResult:
    return classification_result(task.labels, _targets(task, examples), answers, task.selection)
