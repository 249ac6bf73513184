from collections import Counter

import pytest

from bertsmith.data.documentation import Documentation, DocumentationCounts, DocumentedText, Passage, module_split
from bertsmith.data.documentation_examples import BLANK, Sizes, word_examples

WORDS = ("of", "to", "in", "with", "by")

ANIMALS = ["cow", "hen", "pig", "cat", "dog", "owl", "fox", "elk", "bee", "ant"]
SIZES = Sizes(train=80, dev=16, test=16)


def _document(library, number):
    module = f"{library}.module{number}"
    animal = f"{ANIMALS[number % 10]} and {ANIMALS[number // 10 % 10]}"
    farm = ord(library[-1]) * 1000 + number
    sentences = (
        f"Count every {animal} on farm {farm} of {library} with the new method of last year.",
        f"The {animal} is led to the river in the morning by someone from farm {farm}.",
        f"In {library} the farm {farm} of every {animal} returns home when the sun goes down.",
    )
    passage = Passage(f"count{number}", "function", sentences)
    return DocumentedText(library, module, f"count{number}", "function", module_split(module, 0), (passage,))


@pytest.fixture(scope="module")
def documentation():
    libraries = [f"lib{letter}" for letter in "abcdefghij"]
    documents = tuple(_document(library, number) for library in libraries for number in range(400 if library < "libi" else 20))
    counts = DocumentationCounts(
        libraries=10, modules=0, documents=len(documents), sentences=0, words=0, repeated=0, copied=0, skipped=0
    )
    return Documentation(documents, counts)


def test_examples_are_balanced_within_their_sizes(documentation):
    task = word_examples(documentation, ("of", "to"), sizes=SIZES, seed=0)
    for examples, size in ((task.train, 80), (task.dev, 16), (task.test, 16)):
        counts = Counter(examples.labels)
        assert set(counts) == set(task.labels)
        assert max(counts.values()) == size // len(task.labels)
        assert len(examples.texts) == len(examples.labels) <= size


def test_examples_come_from_modules_of_their_own_split(documentation):
    task = word_examples(documentation, WORDS, sizes=Sizes(train=600, dev=120, test=120), seed=0)
    for split in ("train", "dev", "test"):
        whole = {sentence for document in documentation.of(split) for sentence in document.sentences}
        examples = getattr(task, split)
        assert {text.replace(BLANK, label) for text, label in zip(examples.texts, examples.labels)} <= whole


def test_the_first_examples_are_as_balanced_as_all_of_them(documentation):
    labels = word_examples(documentation, ("of", "to"), sizes=Sizes(train=400), seed=0).train.labels
    assert 70 < Counter(labels[:200])["of"] < 130


def test_no_text_stands_in_two_splits(documentation):
    twice = DocumentedText("liba", "liba.twice", "f", "function", "train", documentation.of("test")[0].passages)
    task = word_examples(
        Documentation((*documentation.documents, twice), documentation.counts),
        WORDS,
        sizes=Sizes(train=8000, dev=8000, test=8000),
        seed=0,
    )
    assert not set(task.train.texts) & set(task.test.texts)
    assert not set(task.dev.texts) & set(task.test.texts)


def test_the_seed_decides_everything(documentation):
    first, again, other = (word_examples(documentation, WORDS, sizes=SIZES, seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert first != other
