"""`vocab`: raw text in, a WordPiece vocabulary out."""

from collections.abc import Mapping
from pathlib import Path

from bertsmith.data.corpus import open_corpus
from bertsmith.data.examples import listed
from bertsmith.errors import DataError
from bertsmith.jobs.outcome import Outcome, command
from bertsmith.messages import Phrase
from bertsmith.progress import Listener, ignore
from bertsmith.text.settings import VocabSettings
from bertsmith.text.vocabulary import learn_vocabulary

_OWN_FILES = {"vocab.txt", "tokenizer.json", "tokenizer_config.json"}


def vocab(settings: VocabSettings, *, given: Mapping[str, object], listen: Listener = ignore, language: str = "en") -> Outcome:
    """Learn a vocabulary and write it.

    Raises:
        DataError: the corpus cannot be read, or the output holds something else; nothing is written.
        MachineError: the folder cannot be written.
    """
    _check_place(settings.output)
    corpus = open_corpus(settings, listen)
    texts = (sentence for document in corpus.documents(listen) for sentence in document.sentences)
    vocabulary = learn_vocabulary(
        texts, size=settings.size, lowercase=settings.lowercase, min_frequency=settings.min_frequency, listen=listen
    )
    vocabulary.write(settings.output)
    return Outcome(
        {"pieces": vocabulary.size, "folder": str(settings.output), "sha256": vocabulary.sha256},
        (Phrase(f"{vocabulary.size:,} pieces in {settings.output}", f"{settings.output} 中有 {vocabulary.size:,} 个词片"),),
        (command("prepare", settings.corpus, "--vocabulary", settings.output),),
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
