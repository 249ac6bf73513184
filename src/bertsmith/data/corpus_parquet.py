"""Parquet files: a document a row, its text in a column; read by row groups, some rows at a time (extra `parquet`)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bertsmith.data.corpus_shape import SAMPLE_BYTES
from bertsmith.errors import DataError, MachineError

_ROWS = 256  # at once; some megabytes of long documents
_BUFFER = 2**20  # bytes of a column read ahead; the library's own default reads whole row groups


def checked_texts(path: Path, column: str) -> list[str]:
    """The texts at the beginning of a file whose every row can be read.

    Raises:
        DataError: it is no parquet file, is damaged, or lacks the column of texts.
        MachineError: pyarrow is not installed.
    """
    texts: list[str] = []
    kept = 0
    for text in parquet_texts(path, column):
        if kept < SAMPLE_BYTES:
            texts.append(text[:SAMPLE_BYTES])
            kept += len(text)
    return texts


def parquet_texts(path: Path, column: str) -> Iterator[str]:
    """The text of every row, empty where there is none; errors as of `checked_texts`."""
    with _damage_told(path) as arrow, arrow.parquet.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False) as file:
        _check_column(file.schema_arrow, path, column, arrow)
        for batch in file.iter_batches(_ROWS, columns=[column], use_threads=False):
            for text in batch.column(0).to_pylist():
                yield text or ""


def _check_column(schema: Any, path: Path, column: str, arrow: Any) -> None:
    kind: Any = schema.field(column).type if column in schema.names else None
    if kind is not None and arrow.types.is_dictionary(kind):
        kind = kind.value_type
    if kind is None or not (arrow.types.is_string(kind) or arrow.types.is_large_string(kind)):
        raise DataError(
            "parquet-column",
            "there is no column {column!r} of texts",
            where=path,
            do="name the column that holds the text with --text-field; the file has: {columns}",
            column=column,
            columns=", ".join(schema.names),
        )


@contextmanager
def _damage_told(path: Path) -> Iterator[Any]:
    try:
        import pyarrow  # type: ignore[import-untyped,import-not-found,unused-ignore]
        import pyarrow.parquet  # type: ignore[import-untyped,import-not-found,unused-ignore]
    except ImportError as error:
        raise MachineError(
            "no-parquet",
            "the package that reads parquet files is not installed",
            where=path,
            do="run `pip install 'bertsmith[parquet]'`, or take the file out of the corpus",
        ) from error
    try:
        yield pyarrow
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(
            "parquet-damaged",
            "this is no whole parquet file: {reason}",
            where=path,
            do="copy or download it again",
            reason=str(error).splitlines()[0] if str(error) else type(error).__name__,
        ) from error
