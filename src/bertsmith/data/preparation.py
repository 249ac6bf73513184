"""A corpus to a token store, on any number of cores: documents are found here, encoded by workers, sieved and written here.

The bytes of the store do not depend on the number of workers, nor on how often the work was interrupted.
"""

import shutil
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, Protocol, TypeVar

from bertsmith.data.corpus import Corpus, Position, RawDocument, tell_cuts
from bertsmith.data.corpus_files import empty_corpus
from bertsmith.data.encoding import EncodedBatch, EncodingOptions
from bertsmith.data.excluded_texts import ExcludedTexts
from bertsmith.data.shards import token_type
from bertsmith.data.sieve import Sieve, SieveRules
from bertsmith.data.store_writer import StoreWriter, writing
from bertsmith.data.token_store import TokenStore
from bertsmith.data.worker_processes import Batch, encoded
from bertsmith.progress import Advance, Listener, Stage, ignore
from bertsmith.text.vocabulary import Vocabulary
from bertsmith.text.words import PIECES, segmenter

BATCH = 2**18  # characters; a worker takes some hundredths of a second for it, so that small corpora keep all workers busy too
_SMALL = 2**22  # bytes of a corpus that is encoded before other processes would have started; assumed
_EXCLUDED = "excluded.npz"
_P = TypeVar("_P")


class Encode(Protocol):
    """Who encodes: processes of this machine, or a cluster."""

    def __call__(
        self, batches: Iterable[tuple[Batch, _P]], options: EncodingOptions, workers: int
    ) -> Generator[tuple[EncodedBatch, _P]]:
        """Encode batches with so many workers, and hand each on in order with what stood beside it."""
        ...


@dataclass(frozen=True)
class PreparationPlan:
    """What a store is made of, beside corpus and vocabulary.

    Args:
        shard_tokens: a shard ends with the document that brings it to so many tokens.
        rules: what is dropped and what is held out.
        words: who finds words among Chinese characters.
        excluded: texts that no model may be trained on.
        origin: settings and input hashes, as JSON holds them; a call with the same goes on where another one stopped.
    """

    shard_tokens: int
    rules: SieveRules
    words: str
    excluded: ExcludedTexts
    origin: Mapping[str, Any]


def prepare_store(
    corpus: Corpus,
    vocabulary: Vocabulary,
    folder: Path,
    plan: PreparationPlan,
    *,
    workers: int,
    encode: Encode = encoded,
    listen: Listener = ignore,
) -> TokenStore:
    """Encode a corpus and write the store, or go on where an interrupted call with the same plan stopped.

    Args:
        corpus: the corpus.
        vocabulary: the vocabulary.
        folder: the place of the store; an older store there is replaced at the end.
        plan: what the store is made of.
        workers: processes that encode; 1 starts none.
        encode: who starts them: this machine, or a cluster.
        listen: told documents, tokens and speed.

    Raises:
        DataError: the place holds something else than a token store, or there is no sentence at all.
        MachineError: the disk is full, the segmenter is not installed, or a worker died; what was saved is kept for the next call.
    """
    found = segmenter(plan.words)
    words = PIECES if found is None else found.name
    about = {"shard_tokens": plan.shard_tokens, "words": words, "origin": dict(plan.origin)}
    with writing(folder, vocabulary, about, listen) as writer:
        if not writer.complete:
            sieve = Sieve(plan.rules, token_type(vocabulary.size))
            _encode(corpus, writer, sieve, _options(writer.parts, plan), _enough(workers, corpus), encode, listen)
            if not sieve.counts["documents"]:
                shutil.rmtree(writer.parts)
                raise empty_corpus(corpus.root)
            (writer.parts / _EXCLUDED).unlink(missing_ok=True)
            writer.finish({"words": words, "origin": dict(plan.origin), "inputs": _inputs(corpus), "found": sieve.counts})
            tell_cuts(sieve.counts["cuts"], listen)
    return TokenStore.open(folder)


def _encode(
    corpus: Corpus, writer: StoreWriter, sieve: Sieve, options: EncodingOptions, workers: int, encode: Encode, listen: Listener
) -> None:
    listen(Stage("encode", unit="documents"))
    start = Position()
    if writer.saved:
        start = Position(*writer.saved["position"])
        sieve.restore(writer.saved["sieve"], writer.saved_arrays)
    began, size, tokens = monotonic(), 0, 0
    with closing(encode(_batches(corpus, start), options, workers)) as batches:
        for batch, position in batches:
            for split, text, sentences_D in sieve.passed(batch):
                writer.add(split, text, sentences_D)
            if writer.is_due:
                counts, arrays = sieve.state()
                writer.save({"documents": counts["documents"], "position": position, "sieve": counts}, arrays)
            size, tokens = size + batch.size, tokens + len(batch.text.ids_T)
            rate = size / 1e6 / max(monotonic() - began, 1e-3)
            listen(Advance(sieve.counts["documents"], {"tokens": tokens, "MB_per_second": round(rate, 1)}))


def _batches(corpus: Corpus, start: Position) -> Iterator[tuple[Batch, Position]]:
    """The raw documents from a position on, a quarter of a million characters or more at a time, each batch with the position behind it."""
    batch: list[RawDocument] = []
    size, position = 0, start
    for document, position in corpus.raw_documents(start):
        batch.append(document)
        size += sum(map(len, document.paragraphs))
        if size >= BATCH:
            yield tuple(batch), position
            batch, size = [], 0
    if batch:
        yield tuple(batch), position


def _options(parts: Path, plan: PreparationPlan) -> EncodingOptions:
    if plan.excluded.is_empty:
        return EncodingOptions(parts, plan.words)
    plan.excluded.write(parts / _EXCLUDED)
    return EncodingOptions(parts, plan.words, parts / _EXCLUDED)


def _enough(workers: int, corpus: Corpus) -> int:
    return 1 if sum(file.size for file in corpus.files) < _SMALL else workers


def _inputs(corpus: Corpus) -> list[dict[str, Any]]:
    return [
        {
            "name": file.name,
            "size": file.size,
            "sha256": file.sha256,
            "encoding": file.encoding,
            "content": file.content.value,
            "documents": file.shape.documents,
            "lines": file.shape.lines,
        }
        for file in corpus.files
    ]
