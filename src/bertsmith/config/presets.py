"""Named sizes: Google's released BERTs (Turc et al. 2019, arXiv 1908.08962, and Devlin et al. 2019)."""

import difflib
from pathlib import Path

from bertsmith.config.bert import BertConfig
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
    """Whether a model is named by a path: it exists, or it is written as one, and no preset is called so."""
    path = Path(model)
    return model not in PRESETS and (path.exists() or path.suffix != "" or len(path.parts) > 1)


def preset(name: str, *, vocab_size: int = UNCASED_VOCABULARY) -> BertConfig:
    """The config of a named size.

    Raises:
        ConfigError: no preset has this name.
    """
    if name not in PRESETS:
        near = difflib.get_close_matches(name, PRESETS, n=1, cutoff=0.0)[0]
        raise ConfigError(
            "unknown-preset",
            "there is no preset {name!r}",
            do="use one of {names} (nearest: {near})",
            name=name,
            names=", ".join(PRESETS),
            near=near,
        )
    layers, width, heads = PRESETS[name]
    return BertConfig(
        vocab_size=vocab_size,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=4 * width,
    )
