"""`vocab`: raw text in, a WordPiece vocabulary out; or a vocabulary and raw text in, the vocabulary with new pieces out."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bertsmith.data.corpus import open_corpus
from bertsmith.data.examples import listed
from bertsmith.errors import DataError, UsageError
from bertsmith.files import write_json
from bertsmith.jobs.outcome import Outcome, command
from bertsmith.messages import Phrase, flag_of
from bertsmith.progress import Listener, ignore
from bertsmith.text.extension import Extension, Place, extend_vocabulary
from bertsmith.text.settings import VocabSettings
from bertsmith.text.vocabulary import Vocabulary, learn_vocabulary, read_vocabulary

EXTENSION = "extension.json"  # which pieces are new, what the old vocabulary cut them into, what they save
_OWN_FILES = {"vocab.txt", "tokenizer.json", "tokenizer_config.json", EXTENSION}
_OF_LEARNING, _OF_EXTENDING = ("size", "lowercase"), ("add", "into_unused")
_SHOWN = 10  # of the new pieces


def vocab(settings: VocabSettings, *, given: Mapping[str, object], listen: Listener = ignore, language: str = "en") -> Outcome:
    """Learn a vocabulary, or extend one, and write it.

    Raises:
        DataError: the corpus or the vocabulary cannot be read, or the output holds something else; nothing is written.
        MachineError: the folder cannot be written.
        UsageError: settings of learning were given for extending, or the other way round.
    """
    _check_given(settings, given)
    _check_place(settings.output)
    if settings.extend is not None:
        return _extend(settings, read_vocabulary(settings.extend), listen)
    vocabulary = learn_vocabulary(
        _texts(settings, listen),
        size=settings.size,
        lowercase=settings.lowercase,
        min_frequency=settings.min_frequency,
        listen=listen,
    )
    vocabulary.write(settings.output)
    (settings.output / EXTENSION).unlink(missing_ok=True)  # of a vocabulary that stood here before
    return Outcome(
        {"pieces": vocabulary.size, "folder": str(settings.output), "sha256": vocabulary.sha256},
        (_told_size(settings, vocabulary),),
        (command("prepare", settings.corpus, "--vocabulary", settings.output),),
    )


def _extend(settings: VocabSettings, old: Vocabulary, listen: Listener) -> Outcome:
    place = Place.UNUSED if settings.into_unused else Place.BEHIND
    found = extend_vocabulary(
        _texts(settings, listen),
        old,
        add=settings.add,
        place=place,
        min_frequency=settings.min_frequency,
        listen=listen,
    )
    found.vocabulary.write(settings.output)
    numbers = _numbers(found, old)
    write_json(settings.output / EXTENSION, numbers)
    return Outcome(
        numbers | {"folder": str(settings.output)},
        (_told_size(settings, found.vocabulary), _told_gain(found), _told_pieces(found)),
        (
            command("prepare", settings.corpus, "--vocabulary", settings.output),
            command("pretrain", "STORE", "--model", settings.extend),
        ),
    )


def _texts(settings: VocabSettings, listen: Listener) -> Iterator[str]:
    corpus = open_corpus(settings, listen)
    return (sentence for document in corpus.documents(listen) for sentence in document.sentences)


def _numbers(found: Extension, old: Vocabulary) -> dict[str, Any]:
    """What extension.json says."""
    return {
        "pieces": found.vocabulary.size,
        "sha256": found.vocabulary.sha256,
        "old": {"pieces": old.size, "sha256": old.sha256},
        "before": asdict(found.before),
        "after": asdict(found.after),
        "new": [{**asdict(one), "old": list(one.old)} for one in found.new],
    }


def _told_size(settings: VocabSettings, vocabulary: Vocabulary) -> Phrase:
    return Phrase(f"{vocabulary.size:,} pieces in {settings.output}", f"{settings.output} 中有 {vocabulary.size:,} 个词片")


def _told_gain(found: Extension) -> Phrase:
    before, after = found.before, found.after
    saved = f"{1 - after.tokens / before.tokens:.1%}"
    unknown, left = (f"{one.unknown / one.tokens:.3%}" for one in (before, after))
    return Phrase(
        f"{len(found.new):,} new ones: the text has {saved} fewer tokens ({before.tokens:,} → {after.tokens:,}); [UNK] {unknown} → {left}",
        f"其中 {len(found.new):,} 个是新的：此文本的词元减少 {saved}（{before.tokens:,} → {after.tokens:,}）；[UNK] {unknown} → {left}",
    )


def _told_pieces(found: Extension) -> Phrase:
    best = ", ".join(one.piece for one in found.new[:_SHOWN])
    return Phrase(f"the most useful: {best}", f"最有用的：{best}")


def _check_given(settings: VocabSettings, given: Mapping[str, object]) -> None:
    """Refuse settings that would be silently without effect."""
    if settings.extend is None:
        for name in _OF_EXTENDING:
            if name in given:
                raise UsageError(
                    "needs-flag",
                    "{one} has no effect without {other}",
                    do="give {other} too, or leave {one} out",
                    one=flag_of(name),
                    other=flag_of("extend"),
                )
        return
    for name in _OF_LEARNING:
        if name in given:
            raise UsageError(
                "excluding-flags",
                "--{one} and --{other} exclude each other",
                do="leave one of them out",
                one=name.replace("_", "-"),
                other="extend",
            )


def _check_place(folder: Path) -> None:
    """Refuse to write among other files: a model folder would lose the vocabulary that belongs to it."""
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else {folder.name} if folder.exists() else set()
    if foreign := sorted(names - _OWN_FILES if folder.is_dir() else names):
        raise DataError(
            "vocabulary-place-taken",
            "something else stands there: {names}",
            where=folder,
            do="choose another folder with --output; nothing was touched",
            names=listed(foreign),
        )
