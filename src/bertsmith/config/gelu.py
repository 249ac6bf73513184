"""Which gelu a config means. Files say "gelu" for two functions: with erf, and its approximation with tanh.

Google's code computed the erf form until 7 February 2019 and the tanh form since, under the same name, so that a
bert_config.json alone does not tell. What is known, and by which rule, is a fact of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bertsmith.config.fields import nearest
from bertsmith.errors import ConfigError
from bertsmith.messages import Phrase

GELUS = ("auto", "erf", "tanh", "google-2018", "google-2019")
_MEANT = {
    "erf": "gelu_erf",
    "tanh": "gelu_tanh",
    "google-2018": "gelu_erf",
    "google-2019": "gelu_tanh",
    "gelu_erf": "gelu_erf",
    "gelu_tanh": "gelu_tanh",
}
# layers, width and heads of the weights that Google published in 2018, and the sizes of their vocabularies:
# English uncased and cased, Chinese, multilingual cased and uncased
_SIZES_OF_2018 = ((12, 768, 12), (24, 1024, 16))
_VOCABULARIES_OF_2018 = (30522, 28996, 21128, 119547, 105879)

GIVEN = Phrase("given by --gelu", "由 --gelu 给定")
RECORDED = Phrase("recorded by bertsmith", "由 bertsmith 记录")
STATED = Phrase("the file says so", "文件写明")
IN_TRANSFORMERS = Phrase("transformers computes gelu with erf", "transformers 的 gelu 用 erf 计算")
IN_UER = Phrase("UER-py computes gelu with erf", "UER-py 的 gelu 用 erf 计算")
IN_KERAS = Phrase("keras-hub computes gelu with tanh, always", "keras-hub 的 gelu 总是用 tanh 计算")
NO_GELU = Phrase("the activation is no gelu", "激活函数不是 gelu")
IN_2018 = Phrase(
    "the sizes are those of the weights that Google published in 2018, when its code computed gelu with erf",
    "各项大小与谷歌 2018 年发布的权重相同，当时其代码用 erf 计算 gelu",
)
SINCE_2019 = Phrase(
    "the sizes are not those of 2018, and since February 2019 Google's code computes gelu with tanh",
    "各项大小与 2018 年发布的权重不同，而谷歌的代码自 2019 年 2 月起用 tanh 计算 gelu",
)


class Origin(StrEnum):
    """How the activation of a config is known."""

    GIVEN = "given"
    RECORDED = "recorded"
    STATED = "stated"
    RULE = "rule"
    PRESET = "preset"


@dataclass(frozen=True)
class GeluFact:
    """The activation of a config and how it is known.

    Args:
        activation: ours: gelu_erf, gelu_tanh, relu, silu.
        origin: given by the caller, recorded by bertsmith, stated in the file, by a rule, or that of a preset.
        why: the rule in words, without a final stop.
    """

    activation: str
    origin: Origin
    why: Phrase


def check_gelu(gelu: str) -> None:
    """Refuse a word that is none of `GELUS`.

    Raises:
        ConfigError: it is another word.
    """
    if gelu not in GELUS:
        raise ConfigError(
            "unknown-gelu",
            "there is no gelu {gelu!r}",
            do="use one of {choices}{nearest}",
            gelu=gelu,
            choices=", ".join(GELUS),
            nearest=nearest(gelu, GELUS),
        )


def recorded_activation(word: object) -> str | None:
    """The activation behind a recorded word: `gelu_erf`, `tanh`, `google-2018` …; None for what is none."""
    return _MEANT.get(word) if isinstance(word, str) else None


def by_rule(sizes: Mapping[str, Any]) -> GeluFact:
    """Which gelu a file of Google's form means, by the sizes that it names."""
    shape = (sizes.get("num_hidden_layers"), sizes.get("hidden_size"), sizes.get("num_attention_heads"))
    if shape in _SIZES_OF_2018 and sizes.get("vocab_size") in _VOCABULARIES_OF_2018:
        return GeluFact("gelu_erf", Origin.RULE, IN_2018)
    return GeluFact("gelu_tanh", Origin.RULE, SINCE_2019)
