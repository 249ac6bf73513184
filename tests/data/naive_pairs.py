"""The procedure of create_pretraining_data.py (google-research/bert) one step after another: lists of tokens, no arrays.

Written from the procedure's description, not from `bertsmith.data.pairs`; what both share are the keyed draws, so that the
lists of instances can be compared one by one. `RandomDraws` draws as Google's code does, for comparing shares.
"""

import random
from dataclasses import dataclass

from bertsmith.data.instance_settings import Objective, Procedure
from bertsmith.seeds import below, bits, uniform


@dataclass(frozen=True)
class Naive:
    """An instance as lists of tokens, and what the walk knew when it made it."""

    a: list
    b: list
    label: bool  # not next, or swapped
    document: int
    other: int | None  # the document that B was taken from where it is not the next text
    sentences: int  # of the chunk


class KeyedDraws:
    def __init__(self, seed, epoch, document):
        self.seed, self.key = seed, (epoch, document)

    def chance(self, purpose, *number):
        return float(uniform(self.seed, purpose, *self.key, *number))

    def choice(self, count, purpose, *number):
        return int(below(count, self.seed, purpose, *self.key, *number))

    def odd(self, purpose, *number):
        return int(bits(self.seed, purpose, *self.key, *number)) % 2 == 1


class RandomDraws:
    def __init__(self, rng: random.Random):
        self.rng = rng

    def chance(self, purpose, *number):
        return self.rng.random()

    def choice(self, count, purpose, *number):
        return self.rng.randint(0, count - 1)

    def odd(self, purpose, *number):
        return self.rng.random() < 0.5


def documents_of(shard):
    """The documents of a shard as lists of sentences, which are lists of tokens."""
    tokens, sentences, documents = shard.tokens.tolist(), shard.sentences.tolist(), shard.documents.tolist()
    return [
        [tokens[sentences[s] : sentences[s + 1]] for s in range(documents[d], documents[d + 1])]
        for d in range(len(documents) - 1)
    ]


def naive_epoch(documents, first_document, rules, epoch):
    """All instances of a shard in an epoch, document after document, with the keyed draws."""
    copy = epoch % rules.copies if rules.procedure is Procedure.GOOGLE else epoch
    return [
        instance
        for d in range(len(documents))
        for instance in naive_document(documents, d, rules, KeyedDraws(rules.seed, copy, first_document + d))
    ]


def naive_document(documents, index, rules, draws):
    if rules.objective is Objective.MLM:
        return [Naive(a, [], False, index, None, 0) for a in naive_windows(documents[index], rules.room)]
    ordered = rules.objective is Objective.MLM_SOP
    if ordered and len(documents[index]) == 1:
        return []
    target = rules.room
    if draws.chance("short") < rules.short_share:
        target = 2 + draws.choice(rules.room - 1, "short length")
    document, chunk, instances, i = documents[index], [], [], 0
    while i < len(document):
        chunk.append(document[i])
        left = len(document) - 1 - i
        full = sum(map(len, chunk)) >= target and (not ordered or (len(chunk) > 1 and left != 1))
        if left == 0 or full:
            number, other = len(instances), None
            a_end = 1 + draws.choice(len(chunk) - 1, "part", number) if len(chunk) > 1 else 1
            a, b = _joined(chunk[:a_end]), _joined(chunk[a_end:])
            if ordered:
                label = draws.chance("swapped", number) < 0.5
                a, b = (b, a) if label else (a, b)
            else:
                label = len(chunk) == 1 or draws.chance("not next", number) < 0.5
                if label:
                    other, b = _stretch(documents, index, target - len(a), rules, draws, number)
                    i -= len(chunk) - a_end
            a, b = _truncated(a, b, rules.room, draws, number)
            instances.append(Naive(a, b, label, index, other, len(chunk)))
            chunk = []
        i += 1
    return instances


def naive_windows(document, room):
    """Whole sentences of a document, as many as fit; a sentence longer than the room is cut, and its rest goes on."""
    waiting, windows, window = [list(sentence) for sentence in document], [], []
    while waiting:
        sentence = waiting.pop(0)
        if len(window) + len(sentence) <= room:
            window += sentence
        elif window:
            windows.append(window)
            window, waiting = [], [sentence, *waiting]
        else:
            windows.append(sentence[:room])
            waiting = [sentence[room:], *waiting]
    return [*windows, window] if window else windows


def _joined(sentences):
    return [token for sentence in sentences for token in sentence]


def _stretch(documents, index, wanted, rules, draws, number):
    if rules.procedure is Procedure.PAPER:
        others = [d for d in range(len(documents)) if d != index]
        other = others[draws.choice(len(others), "other document", number)]
    else:
        for attempt in range(10):
            other = draws.choice(len(documents), "other document", number, attempt)
            if other != index:
                break
    b = []
    for sentence in documents[other][draws.choice(len(documents[other]), "other start", number) :]:
        b.extend(sentence)
        if len(b) >= wanted:
            break
    return other, b


def _truncated(a, b, room, draws, number):
    t = 0
    while len(a) + len(b) > room:
        longer = a if len(a) > len(b) else b
        if draws.odd("truncate", number, t):
            longer.pop(0)
        else:
            longer.pop()
        t += 1
    return a, b
