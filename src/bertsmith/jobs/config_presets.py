"""`config presets`: the named sizes with their exact counts, and where their weights are found."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bertsmith.config.estimate.parameters import parameters
from bertsmith.config.presets import PRESETS
from bertsmith.jobs.config_settings import ConfigPresetsSettings
from bertsmith.jobs.outcome import Outcome
from bertsmith.jobs.text_table import aligned
from bertsmith.messages import Phrase
from bertsmith.progress import Listener, ignore

_HEAD = (
    Phrase("name", "名称"),
    Phrase("layers", "层"),
    Phrase("width", "宽"),
    Phrase("heads", "头"),
    Phrase("pieces", "词片"),
    Phrase("gelu", "gelu"),
    Phrase("parameters", "参数"),
    Phrase("with heads", "含预训练头"),
    Phrase("weights", "权重"),
    Phrase("source", "来源"),
)
_NUMBERS = (1, 2, 3, 4, 6, 7)
_ABOUT = Phrase(
    "Parameters: of encoder and pooler, and with both pretraining heads. gelu with ?: inferred, not stated by the publishers. "
    "The feed-forward part is four times as wide. Without weights: a size to train.",
    "参数：编码器与池化层；以及加上两个预训练头。gelu 后带 ? 表示推断所得，发布者没有写明。前馈部分的宽度是四倍。没有权重的是供训练用的大小。",
)


@dataclass(frozen=True)
class PresetsListed:
    """All presets."""

    @property
    def numbers(self) -> dict[str, Any]:
        """Each preset with its sizes, counts and origin."""
        told = {}
        for name, preset in PRESETS.items():
            counts = parameters(preset.config())
            told[name] = {
                "layers": preset.layers,
                "width": preset.width,
                "heads": preset.heads,
                "vocab_size": preset.vocab_size,
                "gelu": preset.activation.removeprefix("gelu_"),
                "gelu_inferred": preset.inferred,
                "encoder_and_pooler": counts.encoder,
                "with_pretraining_heads": counts.pretraining,
                "hub": preset.hub,
                "source": preset.source,
            }
        return told

    def lines(self, language: str) -> list[str]:
        """A line per preset."""
        rows = [tuple(head.text(language) for head in _HEAD)]
        for name, preset in PRESETS.items():
            counts = parameters(preset.config())
            sizes = map(str, (preset.layers, preset.width, preset.heads, preset.vocab_size))
            told = (preset.gelu, f"{counts.encoder:,}", f"{counts.pretraining:,}", preset.hub or "-", preset.source)
            rows.append((name, *sizes, *told))
        following = ("bertsmith config show NAME", "bertsmith config new --like NAME --output config.json")
        return [*aligned(rows, right=_NUMBERS), "", *Outcome({}, (_ABOUT,), following).lines(language)]


def config_presets(
    settings: ConfigPresetsSettings, *, given: Mapping[str, object], listen: Listener = ignore, language: str = "en"
) -> PresetsListed:
    """List the presets.

    Args:
        settings: nothing to set.
        given: nothing.
        listen: not called, the work is short.
        language: not used; the lines are made in the reader's language.
    """
    return PresetsListed()
