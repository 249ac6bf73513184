"""`config diff`: which fields of two configs differ, and what follows for parameters, cost and compatibility."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bertsmith.config.bert import BertConfig
from bertsmith.config.estimate.flops import Pass, flops
from bertsmith.config.estimate.parameters import parameters
from bertsmith.config.estimate.work import Work
from bertsmith.jobs.config_settings import ConfigDiffSettings
from bertsmith.jobs.config_source import NamedConfig, named_config
from bertsmith.jobs.field_text import value_text
from bertsmith.jobs.text_table import aligned
from bertsmith.messages import Phrase
from bertsmith.progress import Listener, ignore

LENGTHS = (128, 512)  # tokens of a sequence for which the operations are compared: short and full, as the paper pretrains
MASKED_SHARE = 0.15  # of the tokens that pretraining predicts (Devlin 2019, section 3.1)
# fields under which the same weights answer otherwise; the rest is for training alone
_ANSWERS = ("hidden_act", "layer_norm_eps", "num_attention_heads")
_SAME = Phrase("{first} and {second} are the same network.", "{first} 与 {second} 是同一个网络。")
_FIELDS = Phrase("Fields that differ:", "不同的字段：")
_FOLLOWS = Phrase("What follows:", "由此：")
_PARAMETERS = Phrase("parameters (encoder and pooler)", "参数（编码器与池化层）")
_WITH_HEADS = Phrase("parameters with both pretraining heads", "参数（含两个预训练头）")
_FLOPS = Phrase("MFLOP a token, forward, {length} tokens", "每词元前向 MFLOP，长 {length} 词元")
_TIMES = Phrase("{ratio:.2f} times", "{ratio:.2f} 倍")
_LOADS = Phrase(
    "The weights of one load into the other: all arrays have the same shapes.", "权重可以互相载入：所有数组形状相同。"
)
_LOADS_NOT = Phrase(
    "The weights of one do not load into the other; {count} of {all} arrays differ:",
    "权重不能互相载入；{all} 个数组中有 {count} 个不同：",
)
_OTHERWISE = Phrase(
    "The same weights would answer otherwise, because of {fields}.", "同样的权重会给出不同的结果，因为 {fields} 不同。"
)
_REST_FITS = Phrase(
    "Everything but the tables fits: the encoder layers of one can start the other.",
    "除嵌入表外都相符：一个的编码器层可以作为另一个的起点。",
)
_ABSENT = Phrase("absent", "无")


@dataclass(frozen=True)
class Compared:
    """Two configs beside each other."""

    first: NamedConfig
    second: NamedConfig

    @property
    def fields(self) -> dict[str, tuple[Any, Any]]:
        """The values of each field that differs."""
        one, other = self.first.config.to_dict(), self.second.config.to_dict()
        return {name: (one[name], other[name]) for name in one if one[name] != other[name]}

    @cached_property
    def arrays(self) -> dict[str, tuple[str, str]]:
        """The shapes of each array of `BertForPreTraining` that differs; empty where one has no such array."""
        one, other = _shapes(self.first.config), _shapes(self.second.config)
        names = [*one, *(name for name in other if name not in one)]
        return {name: (one.get(name, ""), other.get(name, "")) for name in names if one.get(name) != other.get(name)}

    @property
    def _pairs(self) -> tuple[BertConfig, BertConfig]:
        return self.first.config, self.second.config

    @property
    def numbers(self) -> dict[str, Any]:
        """Fields, parameters, operations a token and arrays that differ."""
        counts = [parameters(config) for config in self._pairs]
        return {
            "fields": {name: list(values) for name, values in self.fields.items()},
            "parameters": [count.encoder for count in counts],
            "parameters_with_pretraining_heads": [count.pretraining for count in counts],
            "forward_flops_per_token": {length: [_operations(config, length) for config in self._pairs] for length in LENGTHS},
            "arrays": {name: list(shapes) for name, shapes in self.arrays.items()},
            "weights_load": not self.arrays,
            "answers_alike": not set(_ANSWERS) & self.fields.keys(),
        }

    def lines(self, language: str) -> list[str]:
        """The fields, then what follows."""
        if not self.fields:
            return [_SAME.text(language).format(first=self.first.name, second=self.second.name)]
        fields = [(name, *(value_text(value, language) for value in values)) for name, values in self.fields.items()]
        rows = [
            (_PARAMETERS.text(language), *_counted([parameters(config).encoder for config in self._pairs], language)),
            (_WITH_HEADS.text(language), *_counted([parameters(config).pretraining for config in self._pairs], language)),
        ]
        for length in LENGTHS:
            operations = [_operations(config, length) for config in self._pairs]
            one, other = (f"{value / 1e6:.2f}" for value in operations)
            ratio = _TIMES.text(language).format(ratio=operations[1] / operations[0])
            rows.append((_FLOPS.text(language).format(length=length), one, other, ratio))
        return [
            _FIELDS.text(language),
            *aligned([("", self.first.name, self.second.name), *fields]),
            "",
            _FOLLOWS.text(language),
            *aligned(rows, right=(1, 2, 3)),
            "",
            *self._compatibility(language),
        ]

    def _compatibility(self, language: str) -> list[str]:
        changed = [name for name in _ANSWERS if name in self.fields]
        otherwise = [_OTHERWISE.text(language).format(fields=", ".join(changed))] if changed else []
        if not self.arrays:
            return [_LOADS.text(language), *otherwise]
        absent = _ABSENT.text(language)
        rows = [(name, one or absent, other or absent) for name, (one, other) in _together(self.arrays).items()]
        everything = _shapes(self.first.config).keys() | _shapes(self.second.config).keys()
        told = _LOADS_NOT.text(language).format(count=len(self.arrays), all=len(everything))
        tables_only = all("embeddings.weight" in name or name == "cls.predictions.bias" for name in self.arrays)
        return [told, *aligned(rows), *([_REST_FITS.text(language)] if tables_only and not changed else []), *otherwise]


def _shapes(config: BertConfig) -> dict[str, str]:
    from bertsmith.checkpoints.names import Part, shapes  # here, because `config explain` must not wait for it

    parts = (Part.ENCODER, Part.POOLER, Part.MLM, Part.NSP)
    return {name: "×".join(map(str, shape)) for part in parts for name, shape in shapes(config, part).items()}


def _together(arrays: Mapping[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """The arrays with those of all layers under one name: `bert.encoder.layer.*.output.dense.bias`; layers that only one has as `….12–23.*`."""
    told: dict[str, tuple[str, str]] = {}
    alone: dict[tuple[bool, bool], list[int]] = {}
    for name, (one, other) in arrays.items():
        if one and other:
            told.setdefault(".".join("*" if word.isdigit() else word for word in name.split(".")), (one, other))
        else:  # parts other than layers are in every network
            alone.setdefault((bool(one), bool(other)), []).append(next(int(word) for word in name.split(".") if word.isdigit()))
    for (in_one, in_other), numbers in alone.items():
        layers = f"{min(numbers)}–{max(numbers)}" if min(numbers) < max(numbers) else str(min(numbers))
        told[f"bert.encoder.layer.{layers}.*"] = ("…" if in_one else "", "…" if in_other else "")
    return told


def _operations(config: BertConfig, length: int) -> float:
    """Operations of a forward pass a token, both heads on what pretraining predicts."""
    return flops(config, Work.of([length], MASKED_SHARE), Pass.FORWARD).total / length


def _counted(counts: list[int], language: str) -> tuple[str, str, str]:
    one, other = counts
    return f"{one:,}", f"{other:,}", _TIMES.text(language).format(ratio=other / one)


def config_diff(
    settings: ConfigDiffSettings, *, given: Mapping[str, object], listen: Listener = ignore, language: str = "en"
) -> Compared:
    """Compare two configs.

    Args:
        settings: the names of both.
        given: the fields that the caller gave; comparing needs no record of them.
        listen: told by which rule the gelu of a file was found.
        language: not used; the lines are made in the reader's language.

    Raises:
        ConfigError: there is no such preset or file, or it is no config of a BERT.
    """
    first, second = (
        named_config(name, vocab_size=settings.vocab_size, listen=listen) for name in (settings.first, settings.second)
    )
    return Compared(first, second)
