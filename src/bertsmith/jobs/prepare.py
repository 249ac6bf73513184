"""`prepare`: raw text and a vocabulary in, a token store out."""

from collections.abc import Mapping

from bertsmith.data.corpus import HELD_OUT, TRAIN, assign_split, open_corpus
from bertsmith.data.repeated_lines import RepeatedLines
from bertsmith.data.settings import PrepareSettings
from bertsmith.data.token_store import TokenStore, write_store
from bertsmith.jobs.outcome import Outcome, command
from bertsmith.messages import Phrase
from bertsmith.progress import Listener, ignore, note, warning
from bertsmith.text.vocabulary import read_vocabulary


def prepare(
    settings: PrepareSettings, *, given: Mapping[str, object], listen: Listener = ignore, language: str = "en"
) -> Outcome:
    """Write a token store; interrupted, the same call goes on behind the last finished shard.

    Raises:
        DataError: the corpus or the vocabulary cannot be read, or the output holds something else.
        MachineError: the disk is full; finished shards are kept.
    """
    vocabulary = read_vocabulary(settings.vocabulary)
    corpus = open_corpus(settings, listen)
    repeats = RepeatedLines()
    documents = assign_split(
        repeats.drop_repeats(corpus.documents(listen), settings.repeated_lines), settings.held_out, settings.seed
    )
    origin = {
        "corpus": corpus.sha256,
        "held_out": settings.held_out,
        "repeated_lines": settings.repeated_lines,
        "seed": settings.seed,
    }
    store = write_store(
        documents, vocabulary, settings.output, shard_tokens=settings.shard_tokens, origin=origin, listen=listen
    )
    tell_repeats(repeats, settings.repeated_lines, listen)
    _tell_none_held_out(store, settings.held_out, listen)
    return Outcome(
        {"folder": str(settings.output), **store_numbers(store), "repeated_lines": repeats.repeats},
        store_lines(store),
        (command("inspect", settings.output), command("pretrain", settings.output, "--model", "mini")),
    )


def tell_repeats(repeats: RepeatedLines, how: str, listen: Listener) -> None:
    """Say how many sentences stood in the text before, and what became of them."""
    if not repeats.repeats:
        return
    share = f"{repeats.repeats / repeats.sentences:.1%}"
    values = {"count": f"{repeats.repeats:,}", "share": share}
    if how == "drop":
        listen(note("repeats-dropped", "{count} repeated sentences ({share}) were dropped", **values))
    else:
        listen(note("repeats-kept", "{count} sentences ({share}) are repeats of earlier ones and were kept", **values))


def _tell_none_held_out(store: TokenStore, share: float, listen: Listener) -> None:
    if share and not store.shards(HELD_OUT):
        listen(
            warning(
                "none-held-out",
                "of {documents} documents a share of {share} held out is none: pretraining will measure nothing (--held-out)",
                documents=store.manifest["counts"][TRAIN]["documents"],
                share=share,
            )
        )


def store_numbers(store: TokenStore) -> dict[str, object]:
    """The counts of a store by split, its vocabulary size and its hash."""
    return {"counts": store.manifest["counts"], "pieces": store.vocabulary.size, "sha256": store.manifest["sha256"]}


def store_lines(store: TokenStore) -> tuple[Phrase, ...]:
    """The counts of a store for a reader, a line for each split."""
    names = {"train": Phrase("training", "训练"), "held-out": Phrase("held out", "留出")}
    lines = []
    for split, counts in store.manifest["counts"].items():
        documents, sentences, tokens = (f"{counts[what]:,}" for what in ("documents", "sentences", "tokens"))
        lines.append(
            Phrase(
                f"{names[split].en}: {documents} documents, {sentences} sentences, {tokens} tokens",
                f"{names[split].zh}：{documents} 篇文档，{sentences} 个句子，{tokens} 个词元",
            )
        )
    return tuple(lines)
