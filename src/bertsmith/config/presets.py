"""Named sizes: Google's released BERTs (Turc et al. 2019, arXiv 1908.08962, and Devlin et al. 2019)."""

from pathlib import Path

from bertsmith.config.bert import BertConfig
from bertsmith.config.fields import nearest
from bertsmith.errors import ConfigError

# name: (layers, width, heads); the feed-forward width is four times the width and a head is 64 wide
PRESETS: dict[str, tuple[int, int, int]] = {
    "tiny": (2, 128, 2),
    "mini": (4, 256, 4),
    "small": (4, 512, 8),
    "medium": (8, 512, 8),
    "base": (12, 768, 12),
    "large": (24, 1024, 16),
}
UNCASED_VOCABULARY = 30522  # pieces of Google's English uncased vocabulary


def names_a_path(model: str) -> bool:
    """Whether a model is named by a path: something stands there, and no preset is called so."""
    return model not in PRESETS and Path(model).exists()


def preset(name: str, *, vocab_size: int = UNCASED_VOCABULARY) -> BertConfig:
    """The config of a named size.

    Raises:
        ConfigError: no preset has this name; the message is about a path where the name is written as one.
    """
    if name not in PRESETS:
        raise _no_such_path(name) if Path(name).suffix or len(Path(name).parts) > 1 else _no_such_name(name)
    layers, width, heads = PRESETS[name]
    return BertConfig(
        vocab_size=vocab_size,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=4 * width,
    )


def _no_such_path(path: str) -> ConfigError:
    return ConfigError(
        "no-such-model",
        "there is no such file or folder",
        where=path,
        do="check the path; a model is a preset ({names}), a config.json, or a model folder",
        names=", ".join(PRESETS),
    )


def _no_such_name(name: str) -> ConfigError:
    return ConfigError(
        "unknown-preset",
        "there is no preset, file or folder {name!r}",
        do="give a preset ({names}), a config.json, or a model folder{nearest}",
        name=name,
        names=", ".join(PRESETS),
        nearest=nearest(name, PRESETS),
    )
