"""The texts and labels of the quickstart: documentation that lies on every machine, or a person's own files."""

import csv
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bertsmith.data.corpus import Corpus, Document, assign_split, open_corpus
from bertsmith.data.documentation import Documentation, read_documentation
from bertsmith.data.documentation_examples import CONNECTIVES, Examples, Sizes, word_examples
from bertsmith.data.repeated_lines import RepeatedLines
from bertsmith.data.token_store import TokenStore, write_store
from bertsmith.files import write_aside, write_json
from bertsmith.jobs.prepare import tell_repeats
from bertsmith.jobs.quickstart_plan import VOCABULARY
from bertsmith.jobs.settings import QuickstartSettings
from bertsmith.machine import cores
from bertsmith.progress import Listener, note, warning
from bertsmith.text.settings import CorpusSettings
from bertsmith.text.vocabulary import Vocabulary, learn_vocabulary

# of one's own documents; of fewer than 200 as many more as give ten documents, or a fifth of them; assumed
HELD_OUT, MOST_HELD_OUT, DOCUMENTS_HELD_OUT = 0.05, 0.2, 10
_FOUND = "texts.json"


@dataclass(frozen=True)
class Texts:
    """What the rest of the quickstart works on.

    Args:
        store: the token store.
        found: counts for the report: documents, sentences, words, repeated lines.
        tables: tables of labelled examples by split; only `train` where it is still to be split; empty without labels.
    """

    store: TokenStore
    found: Mapping[str, int]
    tables: Mapping[str, Path]


def prepare_texts(settings: QuickstartSettings, examples: int, corpus: Corpus | None, listen: Listener) -> Texts:
    """Read, learn the vocabulary, write the store and the labelled tables; what an earlier call finished is kept.

    Args:
        settings: the folder and the seed.
        examples: most training examples of the documentation's own task.
        corpus: a person's own text, opened and checked, or None for the documentation.
    """
    place = settings.output
    if (place / _FOUND).exists():
        known = json.loads((place / _FOUND).read_text(encoding="utf-8"))
        return Texts(TokenStore.open(place / "store"), known["found"], {k: Path(v) for k, v in known["tables"].items()})
    texts = _documentation(settings, examples, listen) if corpus is None else _own(settings, corpus, listen)
    write_json(place / _FOUND, {"found": texts.found, "tables": {k: str(v) for k, v in texts.tables.items()}})
    return texts


def open_own(settings: QuickstartSettings, listen: Listener) -> Corpus | None:
    """A person's own text, checked file by file; None where the documentation is used."""
    return None if settings.corpus is None else open_corpus(CorpusSettings(corpus=settings.corpus), listen)


def _documentation(settings: QuickstartSettings, examples: int, listen: Listener) -> Texts:
    documentation = read_documentation(workers=settings.threads or cores(), seed=settings.seed, listen=listen)
    vocabulary = _vocabulary((s for d in documentation.of("train") for s in d.sentences), settings.output, listen)
    store = write_store(
        _as_documents(documentation),
        vocabulary,
        settings.output / "store",
        shard_tokens=2**26,
        origin={"documentation": vars(documentation.counts), "seed": settings.seed},
        listen=listen,
    )
    counts = documentation.counts
    found = {name: getattr(counts, name) for name in ("libraries", "modules", "documents", "sentences", "words", "repeated")}
    labelled = word_examples(documentation, CONNECTIVES, sizes=Sizes(train=examples), seed=settings.seed)
    tables = {}
    for split, chosen in (("train", labelled.train), ("dev", labelled.dev), ("test", labelled.test)):
        tables[split] = settings.output / "labels" / f"{split}.csv"
        _write_table(tables[split], chosen)
    return Texts(store, found, tables)


def _own(settings: QuickstartSettings, corpus: Corpus, listen: Listener) -> Texts:
    counted: Counter[str] = Counter()
    vocabulary = _vocabulary(_sentences(corpus, counted, listen), settings.output, listen)
    share = max(HELD_OUT, min(MOST_HELD_OUT, DOCUMENTS_HELD_OUT / counted["documents"]))
    repeats = RepeatedLines()
    documents = assign_split(repeats.drop_repeats(corpus.documents(), "drop"), share, settings.seed)
    store = write_store(
        documents,
        vocabulary,
        settings.output / "store",
        shard_tokens=2**26,
        origin={"corpus": corpus.sha256, "held_out": share, "seed": settings.seed},
        listen=listen,
    )
    tell_repeats(repeats, "drop", listen)
    counts = store.manifest["counts"].values()
    found = {what: sum(count[what] for count in counts) for what in ("documents", "sentences", "tokens")}
    if settings.labels is None:
        listen(warning("no-labels", "no labelled table was given (`--labels`): nothing is fine-tuned"))
    tables = {} if settings.labels is None else {"train": settings.labels}
    listen(note("texts-found", "{documents} documents, {sentences} sentences, {repeated} repeated lines dropped",
                documents=f"{found['documents']:,}", sentences=f"{found['sentences']:,}", repeated=f"{repeats.repeats:,}"))  # fmt: skip
    return Texts(store, {**found, "repeated": repeats.repeats}, tables)


def _sentences(corpus: Corpus, counted: Counter[str], listen: Listener) -> Iterator[str]:
    """Every sentence; the documents are counted on the way."""
    for document in corpus.documents(listen):
        counted["documents"] += 1
        yield from document.sentences


def _vocabulary(texts: Iterator[str], place: Path, listen: Listener) -> Vocabulary:
    vocabulary = learn_vocabulary(texts, size=VOCABULARY, lowercase=True, min_frequency=2, listen=listen)
    vocabulary.write(place / "vocabulary")
    return vocabulary


def _as_documents(documentation: Documentation) -> Iterator[Document]:
    for text in documentation.documents:
        yield Document(text.sentences, text.module, "train" if text.split == "train" else "held-out")


def _write_table(path: Path, examples: Examples) -> None:
    with write_aside(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["text", "label"])
        writer.writerows(zip(examples.texts, examples.labels, strict=True))
