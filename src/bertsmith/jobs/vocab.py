"""`vocab`: raw text in, a WordPiece vocabulary out."""

from collections.abc import Mapping

from bertsmith.data.corpus import open_corpus
from bertsmith.jobs.outcome import Outcome, command
from bertsmith.messages import Phrase
from bertsmith.progress import Listener, ignore
from bertsmith.text.settings import VocabSettings
from bertsmith.text.vocabulary import learn_vocabulary


def vocab(settings: VocabSettings, *, given: Mapping[str, object], listen: Listener = ignore, language: str = "en") -> Outcome:
    """Learn a vocabulary and write it.

    Raises:
        DataError: the corpus cannot be read; nothing is written.
        MachineError: the folder cannot be written.
    """
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
