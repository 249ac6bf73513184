"""Statistics of instances: counted as one would by hand, and within the bounds of chance of what the procedures predict."""

import random

import numpy as np
import pytest

from bertsmith.data.corpus import Document
from bertsmith.data.instance_recipe import training_instances
from bertsmith.data.instance_settings import InstanceSettings, Objective
from bertsmith.data.instance_statistics import LONGEST_RUN, instance_statistics, store_statistics
from bertsmith.data.token_store import write_store
from bertsmith.text.vocabulary import SPECIAL, Vocabulary

STEMS = tuple(f"w{n}" for n in range(500))
VOCABULARY = Vocabulary((*SPECIAL, *STEMS, "##x", "##y"), lowercase=True)
NSP, SOP, MLM = Objective
SIGMAS = 4.5  # with some twenty bounds and fixed seeds, a right procedure misses one with a probability below 1e-4


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    rng = random.Random(2)
    ends = ("", "", "", "x", "xy")
    documents = [
        Document(
            tuple(
                " ".join(stem + rng.choice(ends) for stem in rng.choices(STEMS, k=rng.randint(2, 30)))
                for _ in range(rng.choice((1, 2, 5, 20)))
            ),
            f"{n}",
        )
        for n in range(1500)
    ]
    return write_store(documents, VOCABULARY, tmp_path_factory.mktemp("statistics") / "store", shard_tokens=10**7, origin={})


def counted(store, objective=NSP, count=2000, **changes):
    instances = training_instances(InstanceSettings(**changes), store, objective)
    return instances, instance_statistics(instances, 0, count)


def test_counts_are_those_of_a_walk_from_instance_to_instance(store):
    instances, found = counted(store, mask_unit="span", max_seq_length=64, count=300)
    lengths, predicted, runs, whole, several = [], [], [], 0, 0
    for position in range(300):
        seen = instances.seen(0, range(position, position + 1))
        hidden = set(seen.batch.masked_M.tolist())
        lengths.append(seen.batch.tokens)
        predicted.append(len(hidden))
        words, run = [], 0
        for row in range(seen.batch.tokens):
            if not seen.text_T[row]:
                words.append(None)
            elif seen.starts_T[row] or words[-1] is None:
                words.append([row])
            else:
                words[-1].append(row)
        for word in words:
            if word is not None and hidden & set(word):
                run += 1
                several += len(word) > 1
                whole += len(word) > 1 and hidden >= set(word)
            elif run:
                runs.append(min(run, LONGEST_RUN))
                run = 0
    assert (found.instances, found.tokens, found.predicted_tokens) == (300, sum(lengths), sum(predicted))
    assert found.lengths == tuple(np.bincount(lengths))
    assert found.predicted == tuple(np.bincount(predicted))
    assert found.runs == tuple(np.bincount(runs, minlength=LONGEST_RUN + 1)[1:])
    assert found.whole_share == whole / several == 1.0


@pytest.mark.parametrize("unit", ["token", "word", "ngram", "span"])
def test_the_masked_share_is_the_one_asked_for_or_a_little_below(store, unit):
    for share in (0.15, 0.4):
        _, found = counted(store, mask_unit=unit, masked_share=share, max_seq_length=128, short_share=0.0)
        realised = found.predicted_tokens / found.tokens
        # rounding to whole tokens is even, so it cancels; whole words leave at most part of a word, of two tokens in the mean
        slack = 0.004 if unit == "token" else 2 * found.instances / found.tokens
        assert share - slack < realised < share + 0.004


@pytest.mark.parametrize("unit", ["token", "word", "ngram"])
def test_eighty_ten_ten_holds_for_every_unit_that_draws_for_each_token(store, unit):
    _, found = counted(store, mask_unit=unit)
    n, pieces = found.predicted_tokens, VOCABULARY.size
    for realised, expected in ((found.replaced_share, 0.8 + 0.1 / pieces), (found.kept_share, 0.1 + 0.1 / pieces)):
        assert abs(realised - expected) < SIGMAS * (expected * (1 - expected) / n) ** 0.5  # of a binomial share


def test_eighty_ten_ten_holds_for_spans_within_the_wider_bound_of_draws_for_each_span(store):
    """A span of at most ten words with five tokens in the mean draws once: the variance is that of a fifth to a tenth as many draws."""
    _, found = counted(store, mask_unit="span")
    for realised, expected in ((found.replaced_share, 0.8), (found.kept_share, 0.1)):
        assert abs(realised - expected) < SIGMAS * (expected * (1 - expected) / (found.predicted_tokens / 10)) ** 0.5


def test_not_next_pairs_are_as_many_as_the_walk_predicts(store):
    for pairs in ("paper", "google-2018"):
        _, found = counted(store, NSP, 4000, pairs=pairs)
        assert 0.52 < found.predicted_label_share < 0.9  # one-sentence chunks make it more than half
        assert abs(found.label_share - found.predicted_label_share) < SIGMAS * found.label_error


def test_swapped_pairs_are_half(store):
    _, found = counted(store, SOP, 4000)
    assert found.predicted_label_share == 0.5
    assert found.label_error == pytest.approx(0.5 / found.instances**0.5)
    assert abs(found.label_share - 0.5) < SIGMAS * found.label_error


def test_masked_lm_alone_has_no_labels(store):
    _, found = counted(store, MLM)
    assert (found.label_share, found.predicted_label_share, found.label_error) == (None, None, None)


def test_single_tokens_split_words_and_whole_words_do_not(store):
    assert counted(store)[1].whole_share < 0.2
    assert counted(store, mask_unit="word")[1].whole_share == 1.0


def test_runs_of_hidden_words_are_longest_for_spans(store):
    means = []
    for unit in ("word", "ngram", "span"):
        runs = np.array(counted(store, mask_unit=unit)[1].runs)
        means.append(runs @ np.arange(1, LONGEST_RUN + 1) / runs.sum())
    assert means[0] < means[1] < means[2]


def test_the_store_tells_documents_of_one_sentence_and_unknown_tokens(store):
    found = store_statistics(store)
    (shard,) = store.shards("train")
    assert found.one_sentence_documents == (np.diff(shard.documents) == 1).mean()
    assert 0.15 < found.one_sentence_documents < 0.35
    assert found.unknown_share == 0
