"""Files that may be compressed, as a stream of the bytes inside: gz, bz2, xz and zst, by their last ending. Never more than a piece is unpacked at once."""

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import IO, Any, cast

from bertsmith.errors import DataError, MachineError

_PIECE = 2**16  # bytes read from the disk at once
_MOST_MEMORY = 2**28  # bytes an xz file may ask for; `xz -9` asks for 65 MiB
_MOST_WINDOW = 27  # of a zst file, log2 bytes: 128 MiB, the library's own default


def inner_name(path: PurePath) -> PurePath:
    """The name of what is inside: `a.txt.xz` holds `a.txt`."""
    return path.with_suffix("") if is_compressed(path) else path


def is_compressed(path: PurePath) -> bool:
    """Whether a file is compressed, by its name."""
    return path.suffix.lower() in (".gz", ".bz2", ".xz", ".zst")


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a file, unpacked on the way where it is compressed.

    Raises:
        DataError: it is damaged or cut off, or asks for too much memory; also while it is read inside the `with`.
        MachineError: the package for .zst is not installed.
    """
    try:
        with _stream(path) as stream:
            yield stream
    except _damages(path) as error:
        raise DataError(
            "damaged-archive",
            "the compressed file is damaged or cut off: {reason}",
            where=path,
            do="copy or download it again; if other programs can unpack it, unpack it first",
            reason=error,
        ) from error


@contextmanager
def opened_text(path: Path, encoding: str) -> Iterator[IO[str]]:
    """The text of a file, its line ends as Python has them; errors as of `opened`."""
    with opened(path) as stream, io.TextIOWrapper(stream, encoding=encoding) as text:
        yield text


def _stream(path: Path) -> IO[bytes]:
    match path.suffix.lower():
        case ".gz":
            return cast(IO[bytes], gzip.open(path, "rb"))
        case ".bz2":
            return bz2.open(path, "rb")
        case ".xz":
            return io.BufferedReader(_Xz(path), _PIECE)
        case ".zst":
            zstd = _zstd(path)
            option = {zstd.DecompressionParameter.window_log_max: _MOST_WINDOW}
            return cast(IO[bytes], zstd.ZstdFile(path, "rb", options=option))
    return open(path, "rb")


def _damages(path: Path) -> tuple[type[Exception], ...]:
    """What reading a damaged file raises; nothing that a file without compression could raise."""
    match path.suffix.lower():
        case ".gz":
            return (EOFError, zlib.error, gzip.BadGzipFile)
        case ".bz2":
            return (EOFError, OSError)
        case ".xz":
            return (EOFError, lzma.LZMAError)
        case ".zst":
            return (EOFError, _zstd(path).ZstdError)
    return ()


def _zstd(path: Path) -> Any:
    """Python's own module (3.14 and later) or the same one as a package."""
    try:
        from compression import zstd  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        try:
            from backports import zstd  # type: ignore[import-not-found,no-redef,unused-ignore]
        except ImportError as error:
            raise MachineError(
                "no-zstd",
                "the package that unpacks .zst files is not installed",
                where=path,
                do="run `pip install 'bertsmith[zstd]'`, or unpack the file first",
            ) from error
    return zstd


class _Xz(io.RawIOBase):
    """An xz file as a stream. The standard library's own sets no bound to the memory that a file may ask for: up to 4 GiB."""

    def __init__(self, path: Path) -> None:
        self._file = open(path, "rb")  # noqa: SIM115 - closed in `close`
        self._decompressor = lzma.LZMADecompressor(memlimit=_MOST_MEMORY)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = len(buffer)
        while True:
            if self._decompressor.eof:
                rest = self._decompressor.unused_data.lstrip(b"\0") or self._file.read(_PIECE).lstrip(b"\0")
                if not rest:
                    return 0
                self._decompressor = lzma.LZMADecompressor(memlimit=_MOST_MEMORY)  # files may be put behind each other
            else:
                rest = self._file.read(_PIECE) if self._decompressor.needs_input else b""
                if self._decompressor.needs_input and not rest:
                    raise EOFError("it ends before its end mark")
            data = self._decompressor.decompress(rest, size)
            if data:
                buffer[: len(data)] = data
                return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()
