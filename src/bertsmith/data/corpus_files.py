"""The files of a corpus, each read once from end to end before any long work: hash, encoding, shape, and every fault."""

import codecs
import os
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePath

from bertsmith.data import corpus_json, corpus_parquet
from bertsmith.data.compressed import inner_name, is_compressed
from bertsmith.data.corpus_scan import readable
from bertsmith.data.corpus_shape import EXTRACTED, Place, Shape, infer_shape
from bertsmith.data.encodings import is_doubtful, shortened
from bertsmith.errors import DataError
from bertsmith.files import sha256
from bertsmith.progress import Advance, Listener, Stage, note, warning
from bertsmith.text.settings import CorpusSettings

TEXT_SUFFIXES = frozenset((".txt", ".text", ".md", ".markdown", ".rst", ""))  # no suffix: WikiExtractor's wiki_00
JSON_SUFFIXES = frozenset((".jsonl", ".ndjson"))
PARQUET_SUFFIX = ".parquet"  # never packed: it is packed inside
_LISTED = 10
_USUAL = ("utf-8", "utf-8-sig", "ascii")


class Content(Enum):
    """What a file is."""

    TEXT = "text"
    JSON_LINES = "json lines"
    PARQUET = "parquet"


@dataclass(frozen=True)
class CorpusFile:
    """A file that can be read.

    Args:
        path: the file.
        name: its path relative to the corpus.
        size: bytes; those inside, where the file is compressed.
        sha256: of its bytes as they lie on the disk.
        encoding: a name that Python knows.
        foreign: bytes that are not ASCII, where the encoding was found by them; 0 elsewhere.
        content: plain text, or a text in a field of each line or row.
        shape: what a document and a line are.
    """

    path: Path
    name: str
    size: int
    sha256: str
    encoding: str
    foreign: int
    content: Content
    shape: Shape


def survey(settings: CorpusSettings, listen: Listener) -> tuple[CorpusFile, ...]:
    """Find and check all files of a corpus, in the order of their names; blank files are left out.

    Raises:
        DataError: nothing to read, binary files, undecodable bytes, bad json lines; the faults of all files at once.
    """
    paths = _found(settings.corpus, listen)
    root = settings.corpus if settings.corpus.is_dir() else settings.corpus.parent
    listen(Stage("check files", len(paths), "files"))
    files: list[CorpusFile] = []
    faults: list[DataError] = []
    for number, path in enumerate(paths, 1):
        try:
            found = _examined(path, path.relative_to(root).as_posix(), settings, len(paths))
            files += [found] if found else []
        except DataError as fault:
            faults.append(fault)
        listen(Advance(number))
    if faults:
        raise DataError.all_of(shortened(faults, settings.corpus))
    if not files:
        raise empty_corpus(settings.corpus)
    _tell(files, listen)
    return tuple(files)


def empty_corpus(corpus: Path) -> DataError:
    """The error for files that hold no text."""
    return DataError(
        "empty-corpus",
        "the files hold no text",
        where=corpus,
        do="give text files (.txt) or json lines (.jsonl) with some text in them",
    )


def _found(corpus: Path, listen: Listener) -> list[Path]:
    """The files to read; of a folder those that are text by their names, hidden ones never."""
    if corpus.is_file():
        return [corpus]
    if not corpus.is_dir():
        raise DataError(
            "no-corpus",
            "there is no such file or folder",
            where=corpus,
            do="give a text file, a jsonl file, or a folder of them",
        )
    visible = []
    for folder, folders, names in os.walk(corpus):
        folders[:] = [name for name in folders if not name.startswith(".")]
        visible += [Path(folder) / name for name in names if not name.startswith(".")]
    read = [path for path in visible if is_read(path)]
    if len(read) < len(visible):
        kinds = Counter(inner_name(path).suffix.lower() for path in visible if not is_read(path))
        listen(
            note(
                "files-skipped",
                "{count} files are neither text nor json lines by their names and are left out ({kinds})",
                count=kinds.total(),
                kinds=", ".join(kind for kind, _ in kinds.most_common(_LISTED)),
            )
        )
    if not read:
        raise DataError(
            "no-text-files",
            "the folder holds no text file",
            where=corpus,
            do="give a folder with .txt, .md, .jsonl or .parquet files (packed ones too), or name one file, whatever its ending",
        )
    return sorted(read, key=lambda path: path.relative_to(corpus).parts)


def is_read(path: PurePath) -> bool:
    """Whether a file of a folder is text by its name."""
    suffix = inner_name(path).suffix.lower()
    return suffix in TEXT_SUFFIXES | JSON_SUFFIXES or (suffix == PARQUET_SUFFIX and not is_compressed(path))


def _examined(path: Path, name: str, settings: CorpusSettings, files: int) -> CorpusFile | None:
    """One file with all that is found out about it, None if it is blank."""
    if path.suffix.lower() == PARQUET_SUFFIX:
        texts, size = corpus_parquet.checked_texts(path, settings.text_field), path.stat().st_size
        shape = _shape_of_texts(texts, size, files, settings)
        return CorpusFile(path, name, size, sha256(path), "utf-8", 0, Content.PARQUET, shape)
    encoding, scan = readable(path, settings.encoding)
    if scan.blank:
        return None
    text = codecs.lookup(encoding).decode(scan.sample, "ignore")[0]
    lines = text.splitlines()
    sample = lines[:-1] if scan.size > len(scan.sample) and len(lines) > 1 else lines
    if _holds_json_lines(path, sample):
        content, texts = Content.JSON_LINES, corpus_json.checked_texts(path, encoding, settings.text_field)
        shape = _shape_of_texts(texts, scan.size, files, settings)
    else:
        content = Content.TEXT
        shape = infer_shape(sample, Place(scan.size, files), settings.documents, settings.lines)
    foreign = scan.foreign if settings.encoding == "auto" else 0
    return CorpusFile(path, name, scan.size, scan.sha256, encoding, foreign, content, shape)


def _shape_of_texts(texts: list[str], size: int, files: int, settings: CorpusSettings) -> Shape:
    """The shape of a file that holds a document in each line or row."""
    lines = [line for text in texts for line in (*text.splitlines(), "")]
    shape = infer_shape(lines, Place(size, files), "blank-line", settings.lines)
    return Shape("line", "wrapped" if shape.lines == "wrapped" else "paragraph")


def _holds_json_lines(path: Path, sample: list[str]) -> bool:
    """By its name, or, of a file without a suffix, by its first line."""
    suffix = inner_name(path).suffix.lower()
    first = next((line for line in sample if line.strip()), "")
    return suffix in JSON_SUFFIXES if suffix else corpus_json.is_json_object(first)


def _tell(files: list[CorpusFile], listen: Listener) -> None:
    """One note for each distinct encoding other than UTF-8, one for each that was guessed by few bytes, and one for each distinct shape."""
    _warn_of_guesses([file for file in files if is_doubtful(file.foreign, file.size)], listen)
    sure = [file for file in files if not is_doubtful(file.foreign, file.size)]
    encodings = Counter(file.encoding for file in sure if file.encoding not in _USUAL)
    for encoding, count in encodings.most_common():
        example = next(file.name for file in sure if file.encoding == encoding)
        listen(
            note(
                "corpus-encoding",
                "{count} files are in {encoding} ({example} …)",
                count=count,
                encoding=encoding,
                example=example,
            )
        )
    _tell_shapes(files, listen)


def _tell_shapes(files: list[CorpusFile], listen: Listener) -> None:
    shapes = Counter((file.content, file.shape) for file in files)
    for (content, shape), count in shapes.most_common():
        example = next(file.name for file in files if (file.content, file.shape) == (content, shape))
        if content is Content.PARQUET:
            listen(
                note(
                    "corpus-parquet",
                    "{count} parquet files ({example} …): each row is a document",
                    count=count,
                    example=example,
                )
            )
        elif shape.documents == EXTRACTED:
            listen(
                note(
                    "corpus-extracted",
                    "{count} files of WikiExtractor ({example} …): a document from <doc …> to </doc>, lines = {lines}",
                    count=count,
                    example=example,
                    lines=shape.lines,
                )
            )
        elif content is Content.JSON_LINES:
            listen(
                note(
                    "corpus-json-lines",
                    "{count} files of json lines ({example} …): each line is a document",
                    count=count,
                    example=example,
                )
            )
        else:
            listen(
                note(
                    "corpus-shape",
                    "{count} files ({example} …): documents = {documents}, lines = {lines}",
                    count=count,
                    example=example,
                    documents=shape.documents,
                    lines=shape.lines,
                )
            )


def _warn_of_guesses(files: list[CorpusFile], listen: Listener) -> None:
    """One warning for each encoding that few bytes of the files stand for."""
    for encoding in dict.fromkeys(file.encoding for file in files):
        guessed = [file for file in files if file.encoding == encoding]
        listen(
            warning(
                "corpus-encoding-guessed",
                "{count} files ({example} …) are read as {encoding} on a guess by the {foreign} of their {size} bytes that are not ASCII; "
                "if characters are wrong, name the encoding with --encoding",
                count=len(guessed),
                example=guessed[0].name,
                encoding=encoding,
                foreign=f"{sum(file.foreign for file in guessed):,}",
                size=f"{sum(file.size for file in guessed):,}",
            )
        )
