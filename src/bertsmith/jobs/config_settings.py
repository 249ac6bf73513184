"""Settings of the verbs `config new`, `show`, `explain`, `check`, `diff`, `convert` and `presets`."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertsmith.config.bert import MOST_PIECES, BertConfig
from bertsmith.config.fields import REQUIRED, check, doc_of, documented, types_of
from bertsmith.config.forms import FORMS
from bertsmith.config.gelu import GELUS

_MODEL = (
    "a preset (tiny, mini, small, medium, base, large …), a config file, or a model folder",
    "预设名（tiny、mini、small、medium、base、large 等）、配置文件，或模型文件夹",
)
_GELU = (
    "which gelu it is, whatever a file says or bertsmith recorded: erf, tanh, or Google's code of 2018 (erf) or since 2019 (tanh); "
    "auto: what is recorded or stated, else a rule that is told",
    "gelu 的形式，优先于文件所写与 bertsmith 的记录：erf、tanh，或谷歌 2018 年的代码（erf）、2019 年起的代码（tanh）；auto：取已记录或写明的，否则按规则并说明",
)
_VOCAB_SIZE = ("pieces of the vocabulary, for a file that does not say it", "词表的词片数，用于未写明它的文件")
_TEXT_FILE = ("vocab.txt or tokenizer.json", "vocab.txt 或 tokenizer.json")

if TYPE_CHECKING:

    class _AnyField:
        """Every field of `BertConfig`, None where it is not given."""

else:
    _AnyField = dataclasses.make_dataclass(
        "_AnyField",
        [
            (
                field.name,
                types_of(BertConfig)[field.name] | None,
                dataclasses.field(default=None, metadata={"doc": doc_of(field)}, kw_only=True),
            )
            for field in dataclasses.fields(BertConfig)
        ],
        frozen=True,
    )


@dataclass(frozen=True, kw_only=True)
class ConfigNewSettings(_AnyField):
    """Write a config, from a preset or from a wish."""

    output: Path = documented(REQUIRED, "file for the config, or a folder for it", "存放配置的文件，或文件夹")
    like: str = documented("base", f"what it begins with: {_MODEL[0]}", f"以什么为起点：{_MODEL[1]}")
    params: str | None = documented(
        None,
        "how many parameters (encoder and pooler), such as 25M; finds the sizes that come nearest",
        "参数总数（编码器与池化层），如 25M；据此选出最接近的各项大小",
    )
    vocabulary: Path | None = documented(
        None,
        f"{_TEXT_FILE[0]} that vocab_size and pad_token_id are taken from",
        f"{_TEXT_FILE[1]}，从中取 vocab_size 与 pad_token_id",
    )
    form: str = documented("huggingface", "form of the file", "文件的格式", choices=tuple(FORMS))

    def __post_init__(self) -> None:
        check(self)

    def given_fields(self) -> dict[str, Any]:
        """The fields of the config that were given."""
        values = {name: getattr(self, name) for name in BertConfig.__dataclass_fields__}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class ConfigShowSettings:
    """Show every field of a config, its gelu and its parameters."""

    model: str = documented(REQUIRED, *_MODEL, positional=True)
    gelu: str = documented("auto", *_GELU, choices=GELUS)
    vocab_size: int | None = documented(None, *_VOCAB_SIZE, low=8, high=MOST_PIECES, unit="pieces")

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, kw_only=True)
class ConfigExplainSettings:
    """Explain the fields of a config."""

    field: str = documented(
        "", "a field, such as hidden_size; empty: all", "字段名，如 hidden_size；空则列出全部", positional=True
    )

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, kw_only=True)
class ConfigCheckSettings:
    """Find every fault and every oddity of a config."""

    config: Path = documented(
        REQUIRED,
        "a config file of any form, or the folder that holds it",
        "任一格式的配置文件，或其所在文件夹",
        positional=True,
    )
    vocabulary: Path | None = documented(None, f"{_TEXT_FILE[0]} that the config shall fit", f"应与配置相符的 {_TEXT_FILE[1]}")
    gelu: str = documented("auto", *_GELU, choices=GELUS)
    vocab_size: int | None = documented(None, *_VOCAB_SIZE, low=8, high=MOST_PIECES, unit="pieces")

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, kw_only=True)
class ConfigDiffSettings:
    """Compare two configs."""

    first: str = documented(REQUIRED, *_MODEL, positional=True)
    second: str = documented(
        REQUIRED, "what it is compared with, named in the same way", "与之比较的另一个，写法相同", positional=True
    )
    vocab_size: int | None = documented(None, *_VOCAB_SIZE, low=8, high=MOST_PIECES, unit="pieces")

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, kw_only=True)
class ConfigConvertSettings:
    """Turn a config of one form into another, and say what that cannot hold."""

    config: str = documented(REQUIRED, *_MODEL, positional=True)
    to: str = documented(REQUIRED, "form of the result", "结果的格式", choices=tuple(FORMS))
    output: Path | None = documented(None, "file for it, or a folder; empty: it is printed", "存放结果的文件或文件夹；空则打印")
    gelu: str = documented("auto", *_GELU, choices=GELUS)
    vocab_size: int | None = documented(None, *_VOCAB_SIZE, low=8, high=MOST_PIECES, unit="pieces")

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, kw_only=True)
class ConfigPresetsSettings:
    """List the presets."""
