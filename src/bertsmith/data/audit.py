"""What a token store and its instances look like before a step is made of them: counted on samples, in seconds, whatever the size.

Whether sentences hang together is measured by the words that two of them share, rare words counting more (the inverse document
frequency of Spärck Jones 1972): neighbours share more than strangers do, in every language. So shuffled text, and pairs with
the wrong label, show before the first step.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bertsmith.data.batches import PackedBatch
from bertsmith.data.hashes import of_sequences
from bertsmith.data.instances import Instances
from bertsmith.data.shards import Shard
from bertsmith.data.token_store import TokenStore
from bertsmith.seeds import below

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]
SAMPLED_TOKENS = 2**22  # of the beginning of each shard together; a minute of reading for a person, a second here
SAMPLED_PAIRS = 2000  # the standard error of a mean of shared shares is then about .005
SAMPLED_INSTANCES = 2000
_FEW = 10  # occurrences that make no piece frequent, however small the text; assumed
_FAR = 2  # sentences away from which another one of the same document is no neighbour; assumed
_SEED = 0  # of the choice of samples, so that an audit is the same every time


@dataclass(frozen=True)
class Cohesion:
    """How much more two sentences share that should hang together than two that should not.

    Args:
        together: mean share of the words, by weight, that pairs of the first kind have in common.
        apart: the same of pairs of the second kind.
        z: their difference in standard errors.
        pairs: how many pairs were looked at, both kinds together.
    """

    together: float
    apart: float
    z: float
    pairs: int


@dataclass(frozen=True)
class StoreAudit:
    """Counts of a sample of the training text.

    Args:
        tokens: of the sample.
        unknown_share: tokens that are [UNK].
        pieces_per_word: tokens for each word start.
        repeated_sentences: share of the sentences that stand before in the sample, one-token sentences left out.
        repeated_documents: share of the documents that stand before in the sample.
        one_sentence_documents: share of the documents with a single sentence; none of them has a next sentence.
        cohesion: neighbouring sentences against sentences of different documents, None where there are too few of either.
        order: neighbouring sentences against others of the same document, None where there are too few of either.
        entropy: of the unigram, in nats: the masked LM loss of a network that knows frequencies alone.
    """

    tokens: int
    unknown_share: float
    pieces_per_word: float
    repeated_sentences: float
    repeated_documents: float
    one_sentence_documents: float
    cohesion: Cohesion | None
    order: Cohesion | None
    entropy: float


@dataclass(frozen=True)
class InstanceAudit:
    """What the first instances of a run are, as the network will see them.

    Args:
        instances: how many were looked at.
        lengths: of each, in tokens.
        predicted_tokens: how many tokens of them are predicted.
        predicted_share: predicted tokens of all tokens.
        hidden_share: predicted tokens that show [MASK].
        shown_share: predicted tokens that show what they are.
        label_share: pairs with the label 1 (not next, or swapped), None where there are no pairs.
        cohesion: pairs that are labelled next against those labelled not-next; None where there are no pairs or one kind alone.
    """

    instances: int
    lengths: tuple[int, ...]
    predicted_tokens: int
    predicted_share: float
    hidden_share: float
    shown_share: float
    label_share: float | None
    cohesion: Cohesion | None


def audit_store(store: TokenStore) -> StoreAudit:
    """Look at a sample of the training text."""
    shards = store.shards("train")
    each = SAMPLED_TOKENS // max(len(shards), 1)
    samples = [_Sample.of(shard, each) for shard in shards]
    counts_V = np.sum([np.bincount(one.tokens, minlength=store.vocabulary.size) for one in samples], axis=0)
    tokens = int(counts_V.sum())
    starts = sum(one.word_starts for one in samples)
    sentences = np.concatenate([one.sentence_hashes() for one in samples])
    documents = np.concatenate([one.document_hashes() for one in samples])
    sizes = np.concatenate([np.diff(one.documents) for one in samples])
    p_V = counts_V[counts_V > 0] / tokens
    cohesion, order = _neighbours(samples, weights_of(counts_V))
    return StoreAudit(
        tokens=tokens,
        unknown_share=float(counts_V[store.vocabulary.unknown] / tokens),
        pieces_per_word=tokens / max(starts, 1),
        repeated_sentences=_repeated(sentences),
        repeated_documents=_repeated(documents),
        one_sentence_documents=float((sizes == 1).mean()),
        cohesion=cohesion,
        order=order,
        entropy=float(-(p_V * np.log(p_V)).sum()),
    )


def audit_instances(instances: Instances, counts_V: I64) -> InstanceAudit:
    """Look at the first instances of epoch 0, in the order of training.

    Args:
        instances: of the training split.
        counts_V: how often each piece occurs in the training text.
    """
    batch = instances.batch(0, range(min(SAMPLED_INSTANCES, instances.count(0))))
    shown_M = batch.ids_T[batch.masked_M]
    pairs = len(batch.targets_B) > 0
    return InstanceAudit(
        instances=batch.sequences,
        lengths=tuple(np.diff(batch.cu_seqlens).tolist()),
        predicted_tokens=len(batch.masked_M),
        predicted_share=len(batch.masked_M) / batch.tokens,
        hidden_share=float((shown_M == instances.mask_rules.mask_id).mean()),
        shown_share=float((shown_M == batch.labels_M).mean()),
        label_share=float(batch.targets_B.mean()) if pairs else None,
        cohesion=_labelled(batch, weights_of(counts_V)) if pairs else None,
    )


def weights_of(counts_V: I64) -> F64:
    """What sharing a piece is worth: the rarer, the more; nothing for pieces that never occur."""
    total = max(int(counts_V.sum()), 1)
    weights_V: F64 = np.where(counts_V > 0, np.log(total / np.maximum(counts_V, 1)), 0.0)
    # a piece of more than a thousandth of the text is a word of grammar or a mark, which any two sentences share
    return np.where(counts_V > max(total / 1000, _FEW), 0.0, weights_V)


@dataclass(frozen=True)
class _Sample:
    """Whole documents from the beginning of a shard, at least one."""

    tokens: NDArray[np.unsignedinteger]
    sentences: I64
    documents: I64
    word_starts: int

    @classmethod
    def of(cls, shard: Shard, tokens: int) -> "_Sample":
        ends = np.asarray(shard.sentences)[np.asarray(shard.documents)]
        count = max(int(np.searchsorted(ends, tokens, side="right")) - 1, 1)
        documents = np.asarray(shard.documents[: count + 1])
        sentences = np.asarray(shard.sentences[: documents[-1] + 1])
        end = int(sentences[-1])
        starts = int(np.unpackbits(shard.word_starts[: -(-end // 8)])[:end].sum())
        return cls(np.asarray(shard.tokens[:end]), sentences, documents, starts)

    def sentence_hashes(self) -> NDArray[np.uint64]:
        """A hash of each sentence of two tokens or more."""
        sizes = np.diff(self.sentences)
        return of_sequences(self.tokens, sizes)[sizes > 1]

    def document_hashes(self) -> NDArray[np.uint64]:
        """A hash of each document."""
        return of_sequences(self.tokens, np.diff(self.sentences[self.documents]))


def _repeated(hashes: NDArray[np.uint64]) -> float:
    return 1 - len(np.unique(hashes)) / len(hashes) if len(hashes) else 0.0


def _neighbours(samples: Sequence[_Sample], weights_V: F64) -> tuple[Cohesion | None, Cohesion | None]:
    """Sentences and the next ones, against sentences of other documents of the shard, and against others of the same document."""
    together: list[float] = []
    apart: list[float] = []
    elsewhere: list[float] = []
    draws = np.arange(-(-SAMPLED_PAIRS // 2 // max(len(samples), 1)))
    for number, one in enumerate(samples):
        owner = np.repeat(np.arange(len(one.documents) - 1), np.diff(one.documents))
        firsts = np.flatnonzero(owner[:-1] == owner[1:])
        if not len(firsts):
            continue
        # each pair once: a small text would else seem surer than it is
        chosen = np.unique(firsts[below(len(firsts), _SEED, "audit", number, draws)])
        each = np.arange(len(chosen))
        first, size = one.documents[owner[chosen]], np.diff(one.documents)[owner[chosen]]
        inside = first + below(size, _SEED, "audit inside", number, each)
        outside = below(len(owner), _SEED, "audit outside", number, each)
        far, strangers = np.abs(inside - chosen) > _FAR, owner[outside] != owner[chosen]
        together += [_shared(one, a, b, weights_V) for a, b in zip(chosen, chosen + 1)]
        elsewhere += [_shared(one, a, b, weights_V) for a, b in zip(chosen[far], inside[far])]
        apart += [_shared(one, a, b, weights_V) for a, b in zip(chosen[strangers], outside[strangers])]
    return _cohesion(together, apart), _cohesion(together, elsewhere)


def _shared(sample: _Sample, a: int, b: int, weights_V: F64) -> float:
    bounds = sample.sentences
    return _common(sample.tokens[bounds[a] : bounds[a + 1]], sample.tokens[bounds[b] : bounds[b + 1]], weights_V)


def _common(a: NDArray[np.integer], b: NDArray[np.integer], weights_V: F64) -> float:
    """The share, by weight, of the pieces of the poorer side that the other one has too."""
    a, b = np.unique(a), np.unique(b)
    least = min(weights_V[a].sum(), weights_V[b].sum())
    return float(weights_V[np.intersect1d(a, b, assume_unique=True)].sum() / least) if least > 0 else 0.0


def _labelled(batch: PackedBatch, weights_V: F64) -> Cohesion | None:
    """Both parts of each pair, with what is hidden put back, by the label of the pair."""
    ids_T = batch.ids_T.copy()
    ids_T[batch.masked_M] = batch.labels_M
    found: tuple[list[float], list[float]] = ([], [])
    for start, end, label in zip(batch.cu_seqlens[:-1], batch.cu_seqlens[1:], batch.targets_B):
        second = batch.segments_T[start:end] == 1
        found[int(label)].append(_common(ids_T[start:end][~second], ids_T[start:end][second], weights_V))
    return _cohesion(*found)


def _cohesion(together: Sequence[float], apart: Sequence[float]) -> Cohesion | None:
    if min(len(together), len(apart)) < 2:
        return None
    a, b = np.array(together), np.array(apart)
    error = np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))
    return Cohesion(float(a.mean()), float(b.mean()), float((a.mean() - b.mean()) / max(error, 1e-9)), len(a) + len(b))
