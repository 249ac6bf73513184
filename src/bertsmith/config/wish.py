"""Sizes for a wish: the config whose exact count of parameters comes nearest, in the proportions of the published family."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bertsmith.config.bert import HEAD, BertConfig, head_counts
from bertsmith.config.estimate.parameters import parameters
from bertsmith.config.fields import shown
from bertsmith.errors import ConfigError

# numbers of width for each layer: 1024 / 24 in large is the least in the published family, 512 / 4 in small the most
_LEAST, _MOST = 1024 / 24, 512 / 4
_TYPICAL = 64  # 128 / 2 in tiny, 768 / 12 in base; decides between equals
_WIDEST, _DEEPEST = 4096, 96
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9}


def wished_count(text: str) -> int:
    """The number behind `25M`, `1.5B`, `110,000,000`, or a plain number; commas part groups of three.

    Raises:
        ConfigError: it is no such number.
    """
    match = re.fullmatch(r"(\d{1,3}(?:,\d{3})+|[\d_]*\.?\d+(?:e\d{1,2})?)\s*([KMB]?)", text.strip(), re.IGNORECASE)
    count = 0.0 if match is None else float(match[1].replace(",", "").replace("_", "")) * _UNITS[match[2].upper()]
    if not 1 <= count < 10**13:
        raise ConfigError(
            "bad-params",
            "--params is {text!r}",
            do="give a number of parameters, such as 25M, 4.4M or 110000000",
            text=shown(text),
        )
    return round(count)


def nearest_config(count: int, start: BertConfig, fixed: Mapping[str, Any]) -> BertConfig:
    """The config with about so many parameters in encoder and pooler.

    Args:
        count: how many are wished for.
        start: everything that the wish leaves open, the vocabulary among it.
        fixed: fields that must be so, with their values; they go before the proportions.

    Raises:
        ConfigError: the fixed fields do not fit together.
    """
    sizes = min(
        _candidates(start, fixed), key=lambda sizes: (abs(sizes.count - count), abs(sizes.width / sizes.layers - _TYPICAL))
    )
    return _of(start, fixed, sizes.width, sizes.layers)


@dataclass(frozen=True)
class _Sizes:
    count: int
    width: int
    layers: int


def _candidates(start: BertConfig, fixed: Mapping[str, Any]) -> Iterator[_Sizes]:
    widths = range(HEAD, _WIDEST + 1, HEAD)
    if "num_attention_heads" in fixed:
        widths = _only(HEAD * fixed["num_attention_heads"])
    if "hidden_size" in fixed:
        widths = _only(fixed["hidden_size"])
    depths = _only(fixed["num_hidden_layers"]) if "num_hidden_layers" in fixed else range(1, _DEEPEST + 1)
    free = len(widths) > 1 and len(depths) > 1
    for width in widths:
        counts = parameters(_of(start, fixed, width, 1))
        outside = counts.encoder - counts.layers
        for layers in depths:
            if not free or _LEAST <= width / layers <= _MOST:
                yield _Sizes(outside + layers * counts.layers, width, layers)


def _only(value: int) -> range:
    return range(value, value + 1)


def _of(start: BertConfig, fixed: Mapping[str, Any], width: int, layers: int) -> BertConfig:
    sizes = {"hidden_size": width, "num_attention_heads": head_counts(width)[0], "intermediate_size": 4 * width}
    return start.replace(**{**sizes, **fixed, "num_hidden_layers": layers})
