"""One pass over the bytes of a text file, packed or not, in bounded memory: hash, encoding, and the first byte that is no text."""

import codecs
import hashlib
from dataclasses import dataclass
from pathlib import Path

from bertsmith.data.compressed import is_compressed, opened
from bertsmith.data.corpus_shape import SAMPLE_BYTES
from bertsmith.data.encodings import beyond_ascii, found_encoding, known_encoding, undecodable
from bertsmith.errors import DataError
from bertsmith.files import sha256

_CHUNK = 2**20
_AROUND = 2**16  # bytes on both sides of the first byte that is not UTF-8, shown to the finder of encodings
_WIDE_UNITS = ("utf-16", "utf_16", "utf-32", "utf_32")


@dataclass(frozen=True)
class Scan:
    """What one pass over the bytes found; those inside, where the file is compressed, but for the hash."""

    sha256: str  # of the file as it lies on the disk
    size: int
    blank: bool
    sample: bytes
    foreign: int  # bytes that are not ASCII
    broken: int | None  # offset of the first byte that the encoding cannot read


def readable(path: Path, wanted: str) -> tuple[str, Scan]:
    """The encoding that reads the whole file, and what the pass over it found."""
    with opened(path) as file:
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
    with opened(path) as file:
        left = first
        while left and (passed := len(file.read(min(_CHUNK, left)))):
            left -= passed
        lines = file.read(size).splitlines()
        more = bool(file.read(1))
    return lines[first > 0 : len(lines) - more] or lines


def _scan(path: Path, encoding: str) -> Scan:
    """Read a file from end to end in bounded memory.

    Raises:
        DataError: a NUL byte where the encoding has none; a damaged compressed file.
    """
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    digest, blank, sample, read, foreign = hashlib.sha256(), True, b"", 0, 0
    broken: int | None = None
    with opened(path) as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            if b"\0" in chunk and not encoding.startswith(_WIDE_UNITS):
                raise _binary(path, read + chunk.index(b"\0"))
            pending = len(decoder.getstate()[0])
            try:
                text = decoder.decode(chunk)
            except UnicodeDecodeError as error:
                broken = read - pending + error.start
                break
            blank = blank and not text.strip("\ufeff \t\r\n")
            sample = sample or chunk[:SAMPLE_BYTES]
            foreign += beyond_ascii(chunk, encoding)
            read += len(chunk)
    try:
        decoder.decode(b"", final=broken is None)
    except UnicodeDecodeError as error:
        broken = read - len(error.object) + error.start
    hashed = sha256(path) if is_compressed(path) else digest.hexdigest()
    return Scan(hashed, read, blank and broken is None, sample, foreign, broken)


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
    with opened(path) as file:
        while left and (chunk := file.read(min(_CHUNK, left))):
            lines, left = lines + chunk.count(b"\n"), left - len(chunk)
    return lines
