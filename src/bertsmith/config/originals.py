"""What is particular to a JSON file beside the config that it says: further keys, spellings, keys that it leaves out."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bertsmith.config.forms import Form

RECORD = "bertsmith"  # our key in the files of others


@dataclass(frozen=True)
class Original:
    """A file, told by how it differs from a new one of its form with the same config.

    Args:
        extra: keys and values that the new one lacks or has otherwise, nested as in the file.
        absent: paths of keys that only the new one has.
    """

    extra: dict[str, Any]
    absent: list[list[str]]


def diff(values: Mapping[str, Any], fresh: Mapping[str, Any]) -> Original:
    """How an object differs from a new one of the same form and config."""
    extra: dict[str, Any] = {}
    absent = [[key] for key in fresh if key not in values]
    for key, value in values.items():
        if key in fresh and isinstance(value, dict) and isinstance(fresh[key], dict):
            inner = diff(value, fresh[key])
            absent += [[key, *path] for path in inner.absent]
            if inner.extra:
                extra[key] = inner.extra
        elif key not in fresh or not _same(value, fresh[key]):
            extra[key] = copy.deepcopy(value)
    return Original(extra, absent)


def _same(one: Any, other: Any) -> bool:
    """Equal, and of the same JSON type: 1 is not true."""
    return type(one) is type(other) and bool(one == other)


def restored(fresh: dict[str, Any], original: Original) -> dict[str, Any]:
    """A new object with what was particular to the original."""
    values = copy.deepcopy(fresh)
    for path in original.absent:
        _remove(values, path)
    _merge(values, original.extra)
    return values


def _remove(values: Any, path: Sequence[str]) -> None:
    *parents, last = path
    for key in parents:
        values = values.get(key) if isinstance(values, dict) else None
    if isinstance(values, dict):
        values.pop(last, None)


def _merge(values: dict[str, Any], extra: Mapping[str, Any]) -> None:
    for key, value in extra.items():
        if isinstance(value, dict) and isinstance(values.get(key), dict):
            _merge(values[key], value)
        else:
            values[key] = copy.deepcopy(value)


def original_of(values: Mapping[str, Any], form: str, wanted: Form) -> Original | None:
    """The file of form `wanted` that an object of another form was made from, at any remove; None where there is none."""
    while form != wanted.name:
        origin = _origin(values)
        if origin is None:
            return None
        form, found = origin
        if form == wanted.name:
            return found
        values = found.extra
    return None


def _origin(values: Mapping[str, Any]) -> tuple[str, Original] | None:
    """Form and particulars of the file that an object was made from; None where our key does not tell them."""
    record = values.get(RECORD)
    origin = record.get("origin") if isinstance(record, dict) else None
    if not isinstance(origin, dict):
        return None
    form, extra, absent = origin.get("form"), origin.get("extra"), origin.get("absent")
    if not (isinstance(form, str) and isinstance(extra, dict) and isinstance(absent, list)):
        return None
    return form, Original(extra, [path for path in absent if isinstance(path, list) and path])
