"""`prepare`: raw text and a vocabulary in, a token store out."""

from collections.abc import Mapping
from typing import Any

from bertsmith.data.corpus import HELD_OUT, TRAIN, Corpus, open_corpus
from bertsmith.data.excluded_texts import ExcludedTexts, evaluation_texts, sha256_of_texts
from bertsmith.data.preparation import PreparationPlan, prepare_store
from bertsmith.data.repeated_lines import RepeatedLines
from bertsmith.data.settings import PrepareSettings
from bertsmith.data.sieve import SieveRules
from bertsmith.data.token_store import TokenStore
from bertsmith.data.word_choice import chosen_words
from bertsmith.jobs.cluster import encoders
from bertsmith.jobs.outcome import Outcome, command
from bertsmith.messages import Phrase
from bertsmith.progress import Listener, Stage, ignore, note, warning
from bertsmith.text.vocabulary import Vocabulary, read_vocabulary
from bertsmith.text.wordpiece import WordPiece


def prepare(
    settings: PrepareSettings, *, given: Mapping[str, object], listen: Listener = ignore, language: str = "en"
) -> Outcome:
    """Write a token store; interrupted, the same call goes on behind the last full shard.

    Raises:
        DataError: the corpus, the vocabulary or the evaluation texts cannot be read, or the output holds something else.
        MachineError: the disk is full, a worker died, a package for the text is missing, or no cluster answers; full shards are kept.
    """
    with encoders(settings.cluster) as there:
        vocabulary = read_vocabulary(settings.vocabulary)
        corpus = open_corpus(settings, listen)
        plan = _plan(settings, corpus, vocabulary, listen)
        workers = settings.workers or there.cores
        place = settings.output
        store = prepare_store(corpus, vocabulary, place, plan, workers=workers, encode=there.encode, listen=listen)
    found: Mapping[str, int] = store.manifest["found"]
    _tell_repeats(found["repeats"], found["sentences"], settings.repeated_lines, listen)
    _tell_duplicates(found, settings.duplicates, listen)
    if settings.exclude is not None:
        listen(note("texts-excluded", "{count} sentences share text with the evaluation texts and were dropped",
                    count=f"{found['excluded']:,}"))  # fmt: skip
    _tell_none_held_out(store, settings.held_out, listen)
    return Outcome(
        {"folder": str(settings.output), **store_numbers(store), "repeated_lines": found["repeats"], "found": dict(found)},
        store_lines(store),
        (command("inspect", settings.output), command("pretrain", settings.output, "--model", "mini")),
    )


def _plan(settings: PrepareSettings, corpus: Corpus, vocabulary: Vocabulary, listen: Listener) -> PreparationPlan:
    excluded, origin = ExcludedTexts.none(), _origin(settings, corpus)
    if settings.exclude is not None:
        listen(Stage("read evaluation texts"))
        excluded = ExcludedTexts.of(evaluation_texts(settings.exclude, settings), WordPiece(vocabulary))
        origin["excluded"] = sha256_of_texts(settings.exclude)
    rules = SieveRules(settings.duplicates == "drop", settings.repeated_lines == "drop", settings.held_out, settings.seed)
    words = chosen_words(settings.words, corpus, vocabulary, listen)
    return PreparationPlan(settings.shard_tokens, rules, words, excluded, origin)


def _origin(settings: PrepareSettings, corpus: Corpus) -> dict[str, Any]:
    return {
        "corpus": corpus.sha256,
        "held_out": settings.held_out,
        "repeated_lines": settings.repeated_lines,
        "duplicates": settings.duplicates,
        "seed": settings.seed,
    }


def tell_repeats(repeats: RepeatedLines, how: str, listen: Listener) -> None:
    """Say how many sentences stood in the text before, and what became of them."""
    _tell_repeats(repeats.repeats, repeats.sentences, how, listen)


def _tell_repeats(repeats: int, sentences: int, how: str, listen: Listener) -> None:
    if not repeats:
        return
    values = {"count": f"{repeats:,}", "share": f"{repeats / sentences:.1%}"}
    if how == "drop":
        listen(note("repeats-dropped", "{count} repeated sentences ({share}) were dropped", **values))
    else:
        listen(note("repeats-kept", "{count} sentences ({share}) are repeats of earlier ones and were kept", **values))


def _tell_duplicates(found: Mapping[str, int], how: str, listen: Listener) -> None:
    if not found["duplicates"]:
        return
    values = {"count": f"{found['duplicates']:,}", "share": f"{found['duplicates'] / found['documents']:.1%}"}
    if how == "drop":
        listen(note("duplicates-dropped", "{count} documents ({share}) were read before and were dropped", **values))
    else:
        listen(
            note("duplicates-kept", "{count} documents ({share}) were read before and were kept (--duplicates drop)", **values)
        )


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
