"""A vocabulary beside a config: do the sizes and the ids fit?"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertsmith.config.field_faults import fields_of
from bertsmith.config.formats import ConfigFile, file_at, read_values
from bertsmith.config.forms import FORMS, form_of
from bertsmith.errors import BertsmithError, ConfigError, DataError
from bertsmith.progress import Note, warning

if TYPE_CHECKING:
    from bertsmith.text.vocabulary import Vocabulary

SPARE_ROWS = 127  # rows beyond the pieces that come from rounding up to a multiple of 128, as for fast products


def vocabulary_of(path: Path) -> "Vocabulary":
    """The vocabulary in a file.

    Raises:
        DataError: it cannot be read as one; all faults at once.
    """
    from bertsmith.text.vocabulary import read_vocabulary  # here, because only this needs a tokenizer

    return read_vocabulary(path)


def against_vocabulary(path: Path, config: Path, file: ConfigFile | None) -> tuple[list[BertsmithError], list[Note]]:
    """What does not fit between a vocabulary and a config, and what is odd about them.

    Args:
        path: vocab.txt or tokenizer.json.
        config: the file of the config.
        file: the same, read; None where it has faults of its own.
    """
    try:
        vocabulary = vocabulary_of(path)
    except DataError as error:
        faults = [error, *error.also]
        error.also = ()
        return list(faults), []
    sizes: dict[str, Any] = _sizes(config) if file is None else file.config.to_dict()
    rows, padding = sizes.get("vocab_size"), sizes.get("pad_token_id")
    notes = []
    if isinstance(rows, int) and vocabulary.size < rows <= vocabulary.size + SPARE_ROWS:
        notes.append(
            warning(
                "spare-rows",
                "vocab_size {rows} is {spare} more than the {pieces} pieces of {path}: these rows are never used → leave it, if it was "
                "rounded up on purpose",
                rows=rows,
                spare=rows - vocabulary.size,
                pieces=vocabulary.size,
                path=str(path),
            )
        )
    if isinstance(padding, int) and padding != vocabulary.padding:
        notes.append(
            warning(
                "padding-elsewhere",
                "pad_token_id is {id}, and [PAD] has the id {padding} in {path} → set pad_token_id to {padding}, unless trained weights "
                "were made so",
                id=padding,
                padding=vocabulary.padding,
                path=str(path),
            )
        )
    return list(rows_fault(rows, vocabulary, path)), notes


def rows_fault(rows: object, vocabulary: "Vocabulary", path: Path) -> list[ConfigError]:
    """The fault of a word table that has too few rows for a vocabulary, or far too many."""
    if not isinstance(rows, int) or isinstance(rows, bool):
        return []
    if vocabulary.size > rows:
        return [
            ConfigError(
                "vocabulary-over-rows",
                "the vocabulary {path} has {pieces} pieces and vocab_size is {rows}: {over} ids have no row",
                do="set vocab_size to {pieces}, or take the vocabulary that belongs to this config",
                path=str(path),
                pieces=vocabulary.size,
                rows=rows,
                over=vocabulary.size - rows,
            )
        ]
    if rows > vocabulary.size + SPARE_ROWS:
        return [
            ConfigError(
                "vocabulary-under-rows",
                "the vocabulary {path} has {pieces} pieces and vocab_size is {rows}: it belongs to another model",
                do="set vocab_size to {pieces}, or take the vocabulary that belongs to this config",
                path=str(path),
                pieces=vocabulary.size,
                rows=rows,
            )
        ]
    return []


def _sizes(config: Path) -> dict[str, Any]:
    """The fields of a faulty config, as far as they can be told."""
    try:
        values = read_values(file_at(config))
        return fields_of(values, FORMS[form_of(values)]).ours
    except ConfigError:
        return {}
