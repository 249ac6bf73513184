"""Which encoding the bytes of a text file are in: byte order mark, UTF-8, plausible GB18030, then charset-normalizer.

charset-normalizer comes last because it misreads tiny files: of a GBK table with two headers and four rows it makes Korean.
"""

import codecs
from dataclasses import dataclass
from pathlib import Path

from bertsmith.errors import DataError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: its mark begins with that of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_COMMON_SHARE = 0.75  # Chinese text lies above .9 in GBK and below .7 when Big5 is read as GBK
_DAMAGED_SHARE = 0.2  # above this share of broken characters a text is in another encoding, not damaged; assumed
_DOUBTFUL_SHARE = 0.01  # below this share of bytes that are not ASCII the encoding is told as a guess; assumed
_DOUBTFUL_BYTES = 20  # and so below this number of them; assumed
_ASCII = bytes(range(128))
_ENOUGH = 20  # characters from which the absence of the letters q to z of pinyin tells Korean from Chinese; assumed
_GUESS_BYTES = 2**18  # charset-normalizer sees this much; assumed
_WESTERN_SHARE = 0.25  # accents are rarer than this in Western European text; assumed
_LISTED = 10
_IN_USE = [
    "cp1252",
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1254",
    "cp1255",
    "cp1256",
    "cp1257",
    "cp1258",
    "koi8_r",
    "cp874",
    "gb18030",
    "big5",
    "cp950",
    "cp932",
    "euc_jp",
    "cp949",
    "iso2022_jp",
]
_WESTERN = frozenset("àáâãäåæçèéêëìíîïñòóôõöøùúûüýÿœßÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝŒ‘’“”«»–—…€£°§©®¿¡·\xa0")
_CENTRAL = frozenset(("Czech", "Polish", "Hungarian", "Slovak", "Romanian", "Croatian", "Slovene"))


@dataclass(frozen=True)
class Decoded:
    """The text of a file and the encoding that it was in (`utf-8-sig` where it began with a mark)."""

    text: str
    encoding: str


def decode(data: bytes, path: Path, encoding: str = "auto") -> Decoded:
    """The text of a file's bytes.

    Args:
        data: the whole file.
        path: for messages.
        encoding: a name that Python knows, or `auto`.

    Raises:
        DataError: bytes that are no text, or that the encoding cannot read (byte offset and line of each broken line).
    """
    name = found_encoding(data, path) if encoding == "auto" else known_encoding(encoding, path)
    if name == "utf-8" and data.startswith(codecs.BOM_UTF8):
        name = "utf-8-sig"
    if b"\0" in data and not name.startswith(("utf-16", "utf-32")):
        offset = data.index(b"\0")
        raise DataError(
            "nul-bytes",
            "a NUL byte at offset {offset}: this is no text file, or it is in UTF-16",
            where=f"{path}:{_line(data, offset)}",
            do="give a csv, tsv, jsonl or txt file (save a spreadsheet as csv), or name the encoding with --encoding utf-16-le",
            offset=offset,
        )
    try:
        return Decoded(data.decode(name), name)
    except UnicodeDecodeError as error:
        raise DataError.all_of(_broken(data, path, name, error)) from error


def found_encoding(data: bytes, path: Path) -> str:
    """The encoding of some bytes of a file; one that is UTF-8 or GB18030 but for a few broken bytes counts as such.

    Raises:
        DataError: nothing fits.
    """
    name = _found(data)
    if name is None:
        raise DataError(
            "unknown-encoding",
            "the encoding cannot be found out",
            where=path,
            do="save the file as UTF-8, or name the encoding with --encoding",
        )
    return name


def beyond_ascii(data: bytes, encoding: str) -> int:
    """How many bytes are not ASCII, for an encoding that only these bytes can tell; 0 for UTF-8, UTF-16 and UTF-32, which tell themselves."""
    return 0 if encoding.startswith("utf") else len(data.translate(None, _ASCII))


def is_doubtful(foreign: int, size: int) -> bool:
    """Whether so few bytes are not ASCII that the encoding which was found by them may well be another."""
    return 0 < foreign < max(_DOUBTFUL_BYTES, _DOUBTFUL_SHARE * size)


def _found(data: bytes) -> str | None:
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name
    if _decodes(data, "utf-8"):
        return "utf-8"
    if _decodes(data, "gb18030") and _plausible_chinese(data):
        return "gb18030"
    for name in ("utf-8", "gb18030"):
        if _slightly_damaged(data, name) and (name == "utf-8" or _plausible_chinese(data)):
            return name
    return _guessed(data[:_GUESS_BYTES])


def _guessed(data: bytes) -> str | None:
    """charset-normalizer's guess among encodings in use; of Western text with few accents it would make Central European."""
    from charset_normalizer import from_bytes

    best = from_bytes(data, cp_isolation=list(_IN_USE)).best()
    foreign = [character for character in data.decode("cp1252", "replace") if character >= "\x80"]
    western = len(foreign) < _WESTERN_SHARE * len(data) and _WESTERN.issuperset(foreign)
    if western and not (best and best.encoding == "cp1250" and best.language in _CENTRAL):
        return "cp1252"
    return str(best.encoding) if best else None


def _decodes(data: bytes, name: str) -> bool:
    try:
        data.decode(name)
    except UnicodeDecodeError:
        return False
    return True


def _plausible_chinese(data: bytes) -> bool:
    """Whether bytes read as GB18030 are the common characters of GB 2312: its first level and its punctuation."""
    common = late = other = 0
    for character in data.decode("gb18030", "replace"):
        if character < "\x80":
            continue
        pair = character.encode("gb18030", "replace")
        level_1 = len(pair) == 2 and 0xB0 <= pair[0] <= 0xD7 and pair[1] >= 0xA1
        if level_1 or (len(pair) == 2 and 0xA1 <= pair[0] <= 0xA3 and pair[1] >= 0xA1):
            common += 1
            late += level_1 and pair[0] >= 0xC9  # the first level is in the order of pinyin; Korean letters end at 0xC8
        else:
            other += 1
    seen = common + other
    return common >= _COMMON_SHARE * seen and (late > 0 or seen < _ENOUGH)


def _slightly_damaged(data: bytes, name: str) -> bool:
    foreign = [character for character in data.decode(name, "replace") if character >= "\x80"]
    return foreign.count("\ufffd") < _DAMAGED_SHARE * len(foreign)


def known_encoding(encoding: str, path: Path) -> str:
    """Python's name of an encoding.

    Raises:
        DataError: there is none of this name.
    """
    try:
        return codecs.lookup(encoding).name
    except LookupError as error:
        raise DataError(
            "no-such-encoding",
            "there is no encoding {encoding!r}",
            where=path,
            do="use auto, utf-8, gb18030, big5, utf-16 or another name that Python knows",
            encoding=encoding,
        ) from error


def _line(data: bytes, offset: int) -> int:
    return data.count(b"\n", 0, offset) + 1


def _broken(data: bytes, path: Path, name: str, first: UnicodeDecodeError) -> list[DataError]:
    """The broken lines; of encodings whose line ends are not one byte only the first place is told."""
    if name.startswith(("utf-16", "utf-32")):
        return [undecodable(path, name, first.start, 0)]
    faults, offset = [], 0
    for number, line in enumerate(data.split(b"\n"), 1):
        try:
            line.decode(name)
        except UnicodeDecodeError as error:
            faults.append(undecodable(path, name, offset + error.start, number))
        offset += len(line) + 1
    return shortened(faults or [undecodable(path, name, first.start, _line(data, first.start))], path)


def undecodable(path: Path, name: str, offset: int, line: int) -> DataError:
    """The error for a byte that the encoding cannot read; line 0 where it is not known."""
    return DataError(
        "undecodable-bytes",
        "the byte at offset {offset} is not {encoding}",
        where=f"{path}:{line}" if line else path,
        do="mend or delete the line, or name another encoding with --encoding",
        offset=offset,
        encoding=name.removesuffix("-sig").upper(),
    )


def shortened(faults: list[DataError], path: Path) -> list[DataError]:
    """The first ten faults of a file, and one that counts the others."""
    if len(faults) <= _LISTED:
        return faults
    rest = DataError(
        "more-faults",
        "{count} more faults of this kind",
        where=path,
        do="mend those above and run the same command again to see the others",
        count=len(faults) - _LISTED,
    )
    return [*faults[:_LISTED], rest]
