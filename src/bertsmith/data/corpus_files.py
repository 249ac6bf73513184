"""The files of a corpus, each read once from end to end before any long work: hash, encoding, shape, and every fault."""

import codecs
import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bertsmith.data.corpus_shape import SAMPLE_BYTES, Place, Shape, infer_shape
from bertsmith.data.encodings import beyond_ascii, found_encoding, is_doubtful, known_encoding, shortened, undecodable
from bertsmith.errors import DataError
from bertsmith.progress import Advance, Listener, Stage, note, warning
from bertsmith.text.settings import CorpusSettings

TEXT_SUFFIXES = frozenset((".txt", ".text", ".md", ".markdown", ".rst", ""))  # no suffix: WikiExtractor's wiki_00
JSON_SUFFIXES = frozenset((".jsonl", ".ndjson"))
JSON_LINES = Shape("line", "paragraph")
_CHUNK = 2**20
_AROUND = 2**16  # bytes on both sides of the first byte that is not UTF-8, shown to the finder of encodings
_WIDE_UNITS = ("utf-16", "utf_16", "utf-32", "utf_32")
_LISTED = 10
_SURROGATE = re.compile("[\ud800-\udfff]")  # half a character, which JSON can hold and no encoding can write


@dataclass(frozen=True)
class CorpusFile:
    """A file that can be read.

    Args:
        path: the file.
        name: its path relative to the corpus.
        size: bytes.
        sha256: of its bytes.
        encoding: a name that Python knows.
        foreign: bytes that are not ASCII, where the encoding was found by them; 0 elsewhere.
        json_lines: a text in a field of each line, instead of plain text.
        shape: what a document and a line are.
    """

    path: Path
    name: str
    size: int
    sha256: str
    encoding: str
    foreign: int
    json_lines: bool
    shape: Shape


@dataclass(frozen=True)
class _Scan:
    """What one pass over the bytes found."""

    sha256: str
    blank: bool
    sample: bytes
    foreign: int  # bytes that are not ASCII
    broken: int | None  # offset of the first byte that the encoding cannot read


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
    read = [path for path in visible if path.suffix.lower() in TEXT_SUFFIXES | JSON_SUFFIXES]
    if len(read) < len(visible):
        kinds = Counter(path.suffix.lower() for path in visible if path.suffix.lower() not in TEXT_SUFFIXES | JSON_SUFFIXES)
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
            do="give a folder with .txt, .md or .jsonl files, or name one file, whatever its ending",
        )
    return sorted(read, key=lambda path: path.relative_to(corpus).parts)


def _examined(path: Path, name: str, settings: CorpusSettings, files: int) -> CorpusFile | None:
    """One file with all that is found out about it, None if it is blank."""
    encoding, scan = _readable(path, settings.encoding)
    if scan.blank:
        return None
    size = path.stat().st_size
    text = codecs.lookup(encoding).decode(scan.sample, "ignore")[0]
    lines = text.splitlines()
    sample = lines[:-1] if size > len(scan.sample) and len(lines) > 1 else lines
    foreign = scan.foreign if settings.encoding == "auto" else 0
    found = CorpusFile(path, name, size, scan.sha256, encoding, foreign, _holds_json_lines(path, sample), JSON_LINES)
    if found.json_lines:
        texts = _checked_json_lines(found, settings.text_field)
        lines_of_texts = [line for text in texts for line in (*text.splitlines(), "")]
        shape = infer_shape(lines_of_texts, Place(size, files), "blank-line", settings.lines)
        return replace(found, shape=Shape("line", "wrapped" if shape.lines == "wrapped" else "paragraph"))
    return replace(found, shape=infer_shape(sample, Place(size, files), settings.documents, settings.lines))


def _readable(path: Path, wanted: str) -> tuple[str, _Scan]:
    """The encoding that reads the whole file, and what the pass over it found."""
    with open(path, "rb") as file:
        head = file.read(_AROUND)
    marked = head.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    encoding = known_encoding(wanted, path) if wanted != "auto" else found_encoding(head, path) if marked else "utf-8"
    scan = _scan(path, encoding)
    if scan.broken is not None and wanted == "auto" and not marked:
        lines = _whole_lines(path, 0, _AROUND) + _whole_lines(path, max(0, scan.broken - _AROUND), 2 * _AROUND)
        found = found_encoding(b"\n".join(lines), path)
        if found != encoding:
            encoding, scan = found, _scan(path, found)
    if scan.broken is not None:
        raise undecodable(path, encoding, scan.broken, _line_at(path, scan.broken))
    return encoding, scan


def _whole_lines(path: Path, first: int, size: int) -> list[bytes]:
    """The lines among `size` bytes from offset `first` that are not cut at either end; the cut ones where there are no others."""
    with open(path, "rb") as file:
        file.seek(first)
        lines = file.read(size).splitlines()
        more = bool(file.read(1))
    return lines[first > 0 : len(lines) - more] or lines


def _scan(path: Path, encoding: str) -> _Scan:
    """Read a file from end to end in bounded memory.

    Raises:
        DataError: a NUL byte where the encoding has none.
    """
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    digest, blank, sample, read, foreign = hashlib.sha256(), True, b"", 0, 0
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            if b"\0" in chunk and not encoding.startswith(_WIDE_UNITS):
                raise _binary(path, read + chunk.index(b"\0"))
            pending = len(decoder.getstate()[0])
            try:
                text = decoder.decode(chunk)
            except UnicodeDecodeError as error:
                return _Scan(digest.hexdigest(), False, sample, foreign, read - pending + error.start)
            blank = blank and not text.strip("\ufeff \t\r\n")
            sample = sample or chunk[:SAMPLE_BYTES]
            foreign += beyond_ascii(chunk, encoding)
            read += len(chunk)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        return _Scan(digest.hexdigest(), False, sample, foreign, read - len(error.object) + error.start)
    return _Scan(digest.hexdigest(), blank, sample, foreign, None)


def _binary(path: Path, offset: int) -> DataError:
    return DataError(
        "binary-file",
        "a NUL byte at offset {offset}: this is no text file",
        where=path,
        do="take the file out of the corpus, unpack it if it is an archive, or name its encoding (such as utf-16-le) with --encoding",
        offset=offset,
    )


def _line_at(path: Path, offset: int) -> int:
    """The 1-based line of a byte."""
    lines, left = 1, offset
    with open(path, "rb") as file:
        while left and (chunk := file.read(min(_CHUNK, left))):
            lines, left = lines + chunk.count(b"\n"), left - len(chunk)
    return lines


def _holds_json_lines(path: Path, sample: list[str]) -> bool:
    """By its name, or, of a file without a suffix, by its first line."""
    if path.suffix:
        return path.suffix.lower() in JSON_SUFFIXES
    first = next((line for line in sample if line.strip()), "")
    try:
        return first.lstrip().startswith("{") and isinstance(json.loads(first), dict)
    except ValueError:
        return False


def _checked_json_lines(file: CorpusFile, field: str) -> list[str]:
    """The texts at the beginning of a file of json lines; every line of it is checked.

    Raises:
        DataError: lines that are no json object or lack the field; the first ten, and how many more.
    """
    faults: list[DataError] = []
    texts: list[str] = []
    kept = 0
    for number, line in _numbered(file):
        try:
            text = text_of(line, field, f"{file.path}:{number}")
        except DataError as fault:
            faults.append(fault)
            continue
        if kept < SAMPLE_BYTES:
            texts.append(text[:SAMPLE_BYTES])
            kept += len(text)
    if faults:
        raise DataError.all_of(shortened(faults, file.path))
    return texts


def json_texts(file: CorpusFile, field: str) -> Iterator[str]:
    """The text of every line of a checked file of json lines."""
    for number, line in _numbered(file):
        yield text_of(line, field, f"{file.path}:{number}")


def _numbered(file: CorpusFile) -> Iterator[tuple[int, str]]:
    with open(file.path, encoding=file.encoding) as lines:
        for number, line in enumerate(lines, 1):
            if line.strip("\ufeff \t\r\n"):
                yield number, line


def text_of(line: str, field: str, where: str) -> str:
    """The text in a json line.

    Raises:
        DataError: no json object, or no text in the field.
    """
    try:
        content: Any = json.loads(line.lstrip("\ufeff"))
    except ValueError as error:
        raise DataError(
            "json-line",
            "this is not valid JSON: {reason}",
            where=where,
            do="mend the line: a line holds one whole object",
            reason=error,
        ) from error
    text = content.get(field) if isinstance(content, dict) else None
    if not isinstance(text, str):
        raise DataError(
            "json-field",
            "there is no text in the field {field!r}",
            where=where,
            do="name the field that holds the text with --text-field; this line has: {fields}",
            field=field,
            fields=", ".join(content) if isinstance(content, dict) else type(content).__name__,
        )
    return _SURROGATE.sub("\ufffd", text)


def _tell(files: list[CorpusFile], listen: Listener) -> None:
    """One note for each distinct encoding other than UTF-8, one for each that was guessed by few bytes, and one for each distinct shape."""
    _warn_of_guesses([file for file in files if is_doubtful(file.foreign, file.size)], listen)
    sure = [file for file in files if not is_doubtful(file.foreign, file.size)]
    encodings = Counter(file.encoding for file in sure if file.encoding not in ("utf-8", "utf-8-sig", "ascii"))
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
    shapes = Counter((file.json_lines, file.shape) for file in files)
    for (json_lines, shape), count in shapes.most_common():
        example = next(file.name for file in files if (file.json_lines, file.shape) == (json_lines, shape))
        if json_lines:
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
