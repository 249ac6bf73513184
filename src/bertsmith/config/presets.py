"""Named sizes: published BERTs whose sizes are certain. A new one is a new line."""

from dataclasses import dataclass
from pathlib import Path

from bertsmith.config.bert import BertConfig
from bertsmith.config.fields import nearest
from bertsmith.errors import ConfigError
from bertsmith.messages import Phrase

UNCASED_VOCABULARY = 30522  # pieces of Google's English uncased vocabulary
_CASED, _CHINESE = 28996, 21128
_NEAR = 0.7  # likeness of two names; there are many, so that one is near any word by chance (assumed)
_DEVLIN, _TURC, _CUI, _UER, _NVIDIA = "Devlin 2019", "Turc 2019", "Cui 2021", "Zhao 2019", "NVIDIA DeepLearningExamples"


@dataclass(frozen=True)
class Preset:
    """A published size.

    Args:
        layers: encoder layers.
        width: of every token's vector; the feed-forward part is four times as wide.
        heads: of a layer.
        vocab_size: pieces.
        gelu: erf or tanh; with a `?` where it is inferred from date, sizes or code, and the publishers do not say it.
        hub: the name under which people find the weights; empty where there is none that is certain.
        source: the paper or project.
    """

    layers: int
    width: int
    heads: int
    vocab_size: int
    gelu: str
    hub: str
    source: str

    def config(self, vocab_size: int | None = None) -> BertConfig:
        """The config, with another vocabulary where one is given."""
        return BertConfig(
            vocab_size=vocab_size or self.vocab_size,
            hidden_size=self.width,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            intermediate_size=4 * self.width,
            hidden_act=self.activation,
        )

    @property
    def activation(self) -> str:
        """gelu_erf or gelu_tanh."""
        return "gelu_" + self.gelu.removesuffix("?")

    @property
    def inferred(self) -> bool:
        """Whether the publishers do not say which gelu it is."""
        return self.gelu.endswith("?")


# The sizes of Turc 2019 for training anew; their published weights stand below under their long names.
_SHORT = {
    "tiny": Preset(2, 128, 2, UNCASED_VOCABULARY, "erf", "", _TURC),
    "mini": Preset(4, 256, 4, UNCASED_VOCABULARY, "erf", "", _TURC),
    "small": Preset(4, 512, 8, UNCASED_VOCABULARY, "erf", "", _TURC),
    "medium": Preset(8, 512, 8, UNCASED_VOCABULARY, "erf", "", _TURC),
    "base": Preset(12, 768, 12, UNCASED_VOCABULARY, "erf", "google-bert/bert-base-uncased", _DEVLIN),
    "large": Preset(24, 1024, 16, UNCASED_VOCABULARY, "erf", "google-bert/bert-large-uncased", _DEVLIN),
}
_PUBLISHED = {
    "base-cased": Preset(12, 768, 12, _CASED, "erf", "google-bert/bert-base-cased", _DEVLIN),
    "large-cased": Preset(24, 1024, 16, _CASED, "erf", "google-bert/bert-large-cased", _DEVLIN),
    "large-wwm": Preset(24, 1024, 16, UNCASED_VOCABULARY, "erf?", "google-bert/bert-large-uncased-whole-word-masking", _DEVLIN),
    "large-cased-wwm": Preset(24, 1024, 16, _CASED, "erf?", "google-bert/bert-large-cased-whole-word-masking", _DEVLIN),
    "multilingual-cased": Preset(12, 768, 12, 119547, "erf", "google-bert/bert-base-multilingual-cased", _DEVLIN),
    "multilingual-uncased": Preset(12, 768, 12, 105879, "erf", "google-bert/bert-base-multilingual-uncased", _DEVLIN),
    "chinese": Preset(12, 768, 12, _CHINESE, "erf", "google-bert/bert-base-chinese", _DEVLIN),
    "chinese-wwm": Preset(12, 768, 12, _CHINESE, "erf?", "hfl/chinese-bert-wwm", _CUI),
    "chinese-wwm-ext": Preset(12, 768, 12, _CHINESE, "erf?", "hfl/chinese-bert-wwm-ext", _CUI),
    "chinese-roberta-wwm-ext": Preset(12, 768, 12, _CHINESE, "erf?", "hfl/chinese-roberta-wwm-ext", _CUI),
    "chinese-roberta-wwm-ext-large": Preset(24, 1024, 16, _CHINESE, "erf?", "hfl/chinese-roberta-wwm-ext-large", _CUI),
    "rbt3": Preset(3, 768, 12, _CHINESE, "erf?", "hfl/rbt3", _CUI),
    "rbt4": Preset(4, 768, 12, _CHINESE, "erf?", "hfl/rbt4", _CUI),
    "rbt6": Preset(6, 768, 12, _CHINESE, "erf?", "hfl/rbt6", _CUI),
    "rbtl3": Preset(3, 1024, 16, _CHINESE, "erf?", "hfl/rbtl3", _CUI),
    "uer-tiny": Preset(2, 128, 2, _CHINESE, "erf", "uer/chinese_roberta_L-2_H-128", _UER),
    "uer-mini": Preset(4, 256, 4, _CHINESE, "erf", "uer/chinese_roberta_L-4_H-256", _UER),
    "uer-small": Preset(4, 512, 8, _CHINESE, "erf", "uer/chinese_roberta_L-4_H-512", _UER),
    "uer-medium": Preset(8, 512, 8, _CHINESE, "erf", "uer/chinese_roberta_L-8_H-512", _UER),
    "uer-base": Preset(12, 768, 12, _CHINESE, "erf", "uer/chinese_roberta_L-12_H-768", _UER),
    "uer-large": Preset(24, 1024, 16, _CHINESE, "erf", "", _UER),
    "uer-xlarge": Preset(36, 1536, 24, _CHINESE, "erf", "", _UER),
    "biobert": Preset(12, 768, 12, _CASED, "erf?", "dmis-lab/biobert-v1.1", "Lee 2020"),
    "sebert-large": Preset(24, 1024, 16, UNCASED_VOCABULARY, "erf?", "", "von der Mosel 2022"),
    "kpfbert": Preset(12, 768, 12, 36440, "erf", "", "KPFBERT"),
    "nvidia-4l-288d": Preset(4, 288, 12, 30528, "erf?", "", _NVIDIA),
    "nvidia-6l-768d": Preset(6, 768, 12, 30528, "erf?", "", _NVIDIA),
}
# Google's 24 small uncased ones of March 2020, more than a year after its code had changed to tanh. The largest was trained anew
# with them; its file cannot be told from that of 2018, and is read as that one.
_SMALL = {
    f"L-{layers}_H-{width}_A-{width // 64}": Preset(
        *(layers, width, width // 64, UNCASED_VOCABULARY),
        gelu="erf?" if (layers, width) == (12, 768) else "tanh?",
        hub=f"google/bert_uncased_L-{layers}_H-{width}_A-{width // 64}",
        source=_TURC,
    )
    for layers in (2, 4, 6, 8, 10, 12)
    for width in (128, 256, 512, 768)
}
PRESETS: dict[str, Preset] = {**_SHORT, **_PUBLISHED, **_SMALL}
_NAMES = Phrase(
    ", ".join(_SHORT) + ", …: `bertsmith config presets` lists all",
    "、".join(_SHORT) + " 等：`bertsmith config presets` 列出全部",
)


def names_a_path(model: str) -> bool:
    """Whether a model is named by a path: something stands there, and no preset is called so; an empty name is none."""
    return model not in PRESETS and model != "" and Path(model).exists()


def preset(name: str, *, vocab_size: int | None = None) -> BertConfig:
    """The config of a named size.

    Args:
        name: one of `PRESETS`.
        vocab_size: pieces of another vocabulary than that of the published weights.

    Raises:
        ConfigError: no preset has this name; the message is about a path where the name is written as one.
    """
    if name not in PRESETS:
        raise _no_such_path(name) if Path(name).suffix or len(Path(name).parts) > 1 else _no_such_name(name)
    return PRESETS[name].config(vocab_size)


def _no_such_path(path: str) -> ConfigError:
    return ConfigError(
        "no-such-model",
        "there is no such file or folder",
        where=path,
        do="check the path; a model is a preset ({names}), a config.json, or a model folder",
        names=_NAMES,
    )


def _no_such_name(name: str) -> ConfigError:
    return ConfigError(
        "unknown-preset",
        "there is no preset, file or folder {name!r}",
        do="give a preset ({names}), a config.json, or a model folder{nearest}",
        name=name,
        names=_NAMES,
        nearest=nearest(name, PRESETS, _NEAR),
    )
