from collections import Counter

import pytest

from bertsmith.data.documentation import Documentation, DocumentationCounts, DocumentedText, Passage, module_split
from bertsmith.data.documentation_examples import (
    BLANK,
    PREPOSITIONS,
    Sizes,
    belonging_examples,
    library_examples,
    order_examples,
    word_examples,
)

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


@pytest.mark.parametrize("make", [library_examples, order_examples, belonging_examples])
def test_examples_are_balanced_within_their_sizes(documentation, make):
    task = make(documentation, sizes=SIZES, seed=0)
    for examples, size in ((task.train, 80), (task.dev, 16), (task.test, 16)):
        counts = Counter(examples.labels)
        assert set(counts) == set(task.labels)
        assert max(counts.values()) == size // len(task.labels)
        assert len(examples.texts) == len(examples.labels) <= size


def test_the_eight_largest_libraries_are_the_labels(documentation):
    assert library_examples(documentation, sizes=SIZES, seed=0).labels == tuple(f"lib{letter}" for letter in "abcdefgh")


def test_no_name_of_a_library_is_left_in_the_texts(documentation):
    task = library_examples(documentation, sizes=SIZES, seed=0)
    assert not any("lib" in text for examples in (task.train, task.dev, task.test) for text in examples.texts)


def test_identifiers_are_hidden_and_words_are_not(documentation):
    names = "uses np.array, some_name and NumPy arrays, e.g. float32 ones of size 0.5 (see open()), by kind."
    passage = Passage("kind", "function", (f"This {names}", "More text."))
    ours = [DocumentedText("liba", "liba.special", "kind", "function", "train", (passage,))]
    task = library_examples(
        Documentation((*ours, *documentation.documents), documentation.counts), sizes=Sizes(train=8000), seed=0
    )
    assert "This uses it and it arrays, for example it ones of size 0.5 (see it), by it." in task.train.texts


def test_examples_come_from_modules_of_their_own_split(documentation):
    task = word_examples(documentation, PREPOSITIONS, sizes=Sizes(train=600, dev=120, test=120), seed=0)
    for split in ("train", "dev", "test"):
        whole = {sentence for document in documentation.of(split) for sentence in document.sentences}
        examples = getattr(task, split)
        assert {text.replace(BLANK, label) for text, label in zip(examples.texts, examples.labels)} <= whole


def test_the_first_examples_are_as_balanced_as_all_of_them(documentation):
    labels = word_examples(documentation, ("of", "to"), sizes=Sizes(train=400), seed=0).train.labels
    assert 70 < Counter(labels[:200])["of"] < 130


def test_no_text_stands_in_two_splits(documentation):
    twice = DocumentedText("liba", "liba.twice", "f", "function", "train", documentation.of("test")[0].passages)
    task = library_examples(
        Documentation((*documentation.documents, twice), documentation.counts),
        sizes=Sizes(train=8000, dev=8000, test=8000),
        seed=0,
    )
    assert not set(task.train.texts) & set(task.test.texts)
    assert not set(task.dev.texts) & set(task.test.texts)


def test_a_swapped_sentence_has_the_same_words_in_another_order(documentation):
    task = order_examples(documentation, sizes=SIZES, seed=0)
    whole = {
        tuple(sorted(sentence.split())): sentence for document in documentation.documents for sentence in document.sentences
    }
    for text, label in zip(task.test.texts, task.test.labels):
        assert (whole[tuple(sorted(text.split()))] == text) == (label == "true")


def test_what_does_not_belong_is_from_another_docstring_of_the_same_library(documentation):
    task = belonging_examples(documentation, sizes=SIZES, seed=0)
    home = {
        sentence: (document.library, document.name) for document in documentation.documents for sentence in document.sentences
    }
    for text, second, label in zip(task.dev.texts, task.dev.seconds, task.dev.labels):
        assert home[text][0] == home[second][0]
        assert (home[text] == home[second]) == (label == "yes")


def test_the_seed_decides_everything(documentation):
    first, again, other = (order_examples(documentation, sizes=SIZES, seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert first != other
