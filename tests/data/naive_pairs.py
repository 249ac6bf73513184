"""The procedure of create_pretraining_data.py (google-research/bert) one step after another: lists of tokens, no arrays.

Written from the procedure's description, not from `bertsmith.data.pairs`; what both share are the keyed draws, so that the
lists of instances can be compared one by one. `RandomDraws` draws as Google's code does, for comparing shares.
"""

import random
from dataclasses import dataclass

from bertsmith.seeds import below, bits, uniform


@dataclass(frozen=True)
class Naive:
    """An instance as lists of tokens, and what the walk knew when it made it."""

    a: list
    b: list
    not_next: bool
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
    return [
        instance
        for d in range(len(documents))
        for instance in naive_document(documents, d, rules, KeyedDraws(rules.seed, epoch, first_document + d))
    ]


def naive_document(documents, index, rules, draws):
    room = rules.max_seq_length - (3 if rules.pairs else 2)
    target = room
    if draws.chance("short") < rules.short_share:
        target = 2 + draws.choice(room - 1, "short length")
    document, chunk, instances, i = documents[index], [], [], 0
    while i < len(document):
        chunk.append(document[i])
        if i == len(document) - 1 or sum(map(len, chunk)) >= target:
            number, other, not_next, b = len(instances), None, False, []
            if not rules.pairs:
                a = _joined(chunk)
            else:
                a_end = 1 + draws.choice(len(chunk) - 1, "part", number) if len(chunk) > 1 else 1
                a = _joined(chunk[:a_end])
                not_next = len(chunk) == 1 or draws.chance("not next", number) < 0.5
                if not_next:
                    other, b = _stretch(documents, index, target - len(a), draws, number)
                    i -= len(chunk) - a_end
                else:
                    b = _joined(chunk[a_end:])
            a, b = _truncated(a, b, room, draws, number)
            instances.append(Naive(a, b, not_next, index, other, len(chunk)))
            chunk = []
        i += 1
    return instances


def _joined(sentences):
    return [token for sentence in sentences for token in sentence]


def _stretch(documents, index, wanted, draws, number):
    others = [d for d in range(len(documents)) if d != index]
    other = others[draws.choice(len(others), "other document", number)]
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


def naive_mask(ids, special, epoch, index, rules):
    """The tokens of one sequence with some hidden, and the places and tokens that are to be predicted."""
    wanted = max(1, round(len(ids) * rules.share))
    candidates = [place for place, token in enumerate(ids) if token not in special]
    candidates.sort(key=lambda place: int(bits(rules.seed, "mask", epoch, index, place)))
    shown, places = list(ids), sorted(candidates[:wanted])
    for place in places:
        chance = float(uniform(rules.seed, "replace", epoch, index, place))
        if chance < 0.8:
            shown[place] = rules.mask_id
        elif chance >= 0.9:
            shown[place] = int(below(rules.vocab_size, rules.seed, "random piece", epoch, index, place))
    return shown, places, [ids[place] for place in places]
