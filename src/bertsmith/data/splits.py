"""Train, dev and test out of one table: the same text never stands on two sides, and the order of the rows does not matter."""

import hashlib
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bertsmith import seeds
from bertsmith.data.examples import Examples
from bertsmith.errors import DataError
from bertsmith.messages import Phrase
from bertsmith.progress import Listener, ignore, note, warning

Indices = NDArray[np.int64]
How = Literal["stratified", "random", "group"]

_HOW = {"stratified": Phrase("stratified", "分层"), "random": Phrase("at random", "随机"), "group": Phrase("by group", "按组")}
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_BETWEEN = "\x1f"  # the unit separator of ASCII stands in no text


@dataclass(frozen=True)
class Split:
    """Row numbers of each side, in the order of the table; a side that was not asked for is empty."""

    train: Indices
    dev: Indices
    test: Indices


@dataclass(frozen=True)
class Shares:
    """Shares of the rows for dev and test, 0 where a side is not wanted; train has the rest."""

    dev: float
    test: float


@dataclass(frozen=True)
class Leaks:
    """How many rows of a later table have a text that stands in an earlier one."""

    dev_in_train: int
    test_in_train: int
    test_in_dev: int


@dataclass(frozen=True)
class _Unit:
    """Rows that stay together; `draw` is its random place."""

    rows: list[int]
    stratum: str
    draw: int


def text_keys(examples: Examples) -> list[str]:
    """What makes two examples the same: the text without case, width, blanks at its ends and invisible characters; of a pair both, in either order."""
    keys = [_normalised(text) for text in examples.texts]
    if examples.pairs is None:
        return keys
    return [_BETWEEN.join(sorted((one, _normalised(other)))) for one, other in zip(keys, examples.pairs, strict=True)]


def _normalised(text: str) -> str:
    return " ".join(_INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).casefold().split())


def split_rows(
    keys: Sequence[str],
    labels: Sequence[str],
    shares: Shares,
    *,
    how: How = "stratified",
    groups: Sequence[str] | None = None,
    seed: int = 0,
    path: Path | None = None,
    listen: Listener = ignore,
) -> Split:
    """Split rows; those with the same key stay together.

    Where a row goes is drawn from its key, so the split does not depend on the order of the rows.

    Args:
        keys: what makes two rows the same (`text_keys`).
        labels: the class of each row.
        shares: for dev and test.
        how: `stratified` keeps the share of each class on each side, `random` does not, `group` keeps rows with the same
            value in `groups` together.
        groups: the group of each row.
        seed: of the draw.
        path: the table, for messages.
        listen: is told how many rows went where.

    Raises:
        DataError: there are too few different texts or groups for a side that is wanted.
    """
    units = _units(keys, labels, groups if how == "group" else None, seed)
    sides: dict[str, list[int]] = {"test": [], "dev": [], "train": []}
    quotas = {"test": _Quota(shares.test, len(keys)), "dev": _Quota(shares.dev, len(keys))}
    for stratum in _strata(units, by_label=how == "stratified"):
        _deal(stratum, quotas, sides)
    wanted = ["train", *(side for side, quota in quotas.items() if quota.share)]
    if not all(sides[side] for side in wanted):
        raise DataError(
            "too-few-to-split",
            "{units} different texts or groups are too few for train, dev and test",
            where=path,
            do="give more rows, larger shares, or tables of their own with --dev and --test",
            units=len(units),
        )
    split = Split(*(np.array(sorted(sides[side]), np.int64) for side in ("train", "dev", "test")))
    listen(
        note(
            "split-made",
            "split {how}: {train} rows train, {dev} dev, {test} test",
            how=_HOW[how],
            train=len(split.train),
            dev=len(split.dev),
            test=len(split.test),
        )
    )
    if repeated := len(keys) - len(set(keys)):
        listen(note("repeats-together", "{repeated} rows repeat a text and stay on its side", repeated=repeated))
    return split


class _Quota:
    """How many rows a side still gets; the fractions of one stratum are carried to the next, so that the sum is right."""

    def __init__(self, share: float, rows: int) -> None:
        self.share = max(share, 1 / rows) if share and rows else 0.0
        self._due = 0.0

    def of(self, rows: int) -> int:
        """Rows of a stratum of so many rows that the side should get."""
        self._due += self.share * rows
        return max(0, round(self._due))

    def got(self, rows: int) -> None:
        """Book the rows that it got."""
        self._due -= rows


def _deal(stratum: list[_Unit], quotas: dict[str, _Quota], sides: dict[str, list[int]]) -> None:
    """Give units to test and dev until their quotas are filled, the rest to train, which always gets one."""
    left, size = list(stratum), sum(len(unit.rows) for unit in stratum)
    for side, quota in quotas.items():
        wanted, got = quota.of(size), 0
        kept: list[_Unit] = []
        for position, unit in enumerate(left):
            last = not kept and position == len(left) - 1
            nearer = abs(wanted - got - len(unit.rows)) < abs(wanted - got)
            if nearer and not last:
                sides[side] += unit.rows
                got += len(unit.rows)
            else:
                kept.append(unit)
        quota.got(got)
        left = kept
    for unit in left:
        sides["train"] += unit.rows


def _strata(units: list[_Unit], *, by_label: bool) -> Iterable[list[_Unit]]:
    strata: dict[str, list[_Unit]] = defaultdict(list)
    for unit in sorted(units, key=lambda unit: unit.draw):
        strata[unit.stratum if by_label else ""].append(unit)
    return [strata[name] for name in sorted(strata)]


def _units(keys: Sequence[str], labels: Sequence[str], groups: Sequence[str] | None, seed: int) -> list[_Unit]:
    """Rows joined by their keys and their groups, directly or through others."""
    parent = list(range(len(keys)))

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = row = parent[parent[row]]
        return row

    for names in (keys, groups or ()):
        first: dict[str, int] = {}
        for row, name in enumerate(names):
            parent[root(row)] = root(first.setdefault(name, row))
    members: dict[int, list[int]] = defaultdict(list)
    for row in range(len(keys)):
        members[root(row)].append(row)
    smallest = [min(keys[row] for row in rows) for rows in members.values()]
    draws = seeds.bits(seed, "split", np.array([_number(key) for key in smallest], np.uint64))
    return [
        _Unit(rows, min(Counter(labels[row] for row in rows).items(), key=lambda item: (-item[1], item[0]))[0], int(draw))
        for rows, draw in zip(members.values(), draws, strict=True)
    ]


def _number(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def leaks(train: Examples, dev: Examples, test: Examples, listen: Listener = ignore) -> Leaks:
    """Count the rows of dev and test whose text stands in an earlier table, and warn of them."""
    train_keys, dev_keys, test_keys = text_keys(train), text_keys(dev), text_keys(test)
    found = Leaks(_also_in(dev_keys, train_keys), _also_in(test_keys, train_keys), _also_in(test_keys, dev_keys))
    for later, earlier, count in (
        (dev, train, found.dev_in_train),
        (test, train, found.test_in_train),
        (test, dev, found.test_in_dev),
    ):
        if count:
            listen(
                warning(
                    "texts-leak",
                    "{count} of {rows} texts of {later} stand in {earlier} too: scores on them say little about new texts",
                    count=count,
                    rows=len(later),
                    later=later.path,
                    earlier=earlier.path,
                )
            )
    return found


def _also_in(keys: Sequence[str], others: Iterable[str]) -> int:
    known = set(others)
    return sum(key in known for key in keys)
