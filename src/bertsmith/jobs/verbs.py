"""The verbs: each is a name, a settings class and a job; flags and Python keywords are both made from this table.

A job is a function `bertsmith.jobs.<verb>.<verb>(settings, *, given, listen, language)`; it is imported only when it is
called, so that help and `import bertsmith` never load a framework.
"""

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol, cast

from bertsmith.config.fields import build, doc_of, types_of
from bertsmith.data.settings import PrepareSettings
from bertsmith.errors import ConfigError
from bertsmith.jobs.compare_settings import CompareSettings
from bertsmith.jobs.config_settings import (
    ConfigCheckSettings,
    ConfigConvertSettings,
    ConfigDiffSettings,
    ConfigExplainSettings,
    ConfigNewSettings,
    ConfigPresetsSettings,
    ConfigShowSettings,
)
from bertsmith.jobs.convert_settings import ConvertSettings, InspectSettings
from bertsmith.jobs.estimate_settings import ConfigEstimateSettings
from bertsmith.jobs.field_text import details
from bertsmith.jobs.settings import EvaluateSettings, PredictSettings, QuickstartSettings
from bertsmith.messages import Phrase
from bertsmith.progress import Listener, ignore
from bertsmith.text.settings import VocabSettings
from bertsmith.training.finetuning.settings import FinetuneSettings
from bertsmith.training.pretraining.settings import PretrainSettings

_P = inspect.Parameter


class Result(Protocol):
    """What a job hands back: plain numbers for programs, lines for people."""

    @property
    def numbers(self) -> Mapping[str, Any]:
        """Everything that was found, as JSON can hold it."""
        ...

    def lines(self, language: str) -> list[str]:
        """The result and the next commands, in `en` or `zh`."""
        ...


class Job(Protocol):
    """The function behind a verb."""

    def __call__(self, settings: Any, *, given: Mapping[str, object], listen: Listener, language: str) -> Result:
        """Do the work of `settings`; `given` holds those fields that the caller gave."""
        ...


@dataclass(frozen=True)
class Verb:
    """One thing that a person can ask for."""

    name: str
    settings: type
    summary: Phrase

    @property
    def words(self) -> list[str]:
        """What is typed: `["config", "show"]`."""
        return self.name.split()

    def job(self) -> Job:
        """The function that does the work; only this import may load a framework."""
        module = "_".join(self.words)
        return cast(Job, getattr(import_module(f"bertsmith.jobs.{module}"), module))

    def fields(self) -> "list[dataclasses.Field[Any]]":
        """The fields of the settings as a reader wants them: arguments first, then the verb's own, then the shared ones."""
        own = self.settings.__annotations__
        return sorted(
            dataclasses.fields(self.settings), key=lambda field: (not doc_of(field).positional, field.name not in own)
        )

    def positional(self) -> list[str]:
        """Names of the fields that are arguments, in their order."""
        return [field.name for field in self.fields() if doc_of(field).positional]


QUICKSTART = Verb(
    "quickstart",
    QuickstartSettings,
    Phrase(
        "The whole way in minutes: raw text, vocabulary, pretraining, fine-tuning, report.",
        "几分钟走完全程：原始文本、词表、预训练、微调、报告。",
    ),
)
VOCAB = Verb(
    "vocab",
    VocabSettings,
    Phrase("Learn a WordPiece vocabulary from raw text, or extend one.", "从原始文本学习 WordPiece 词表，或扩充已有的词表。"),
)
PREPARE = Verb("prepare", PrepareSettings, Phrase("Turn raw text into a token store.", "把原始文本编码为词元库。"))
INSPECT = Verb(
    "inspect",
    InspectSettings,
    Phrase(
        "Tell what a folder is: masked instances of a token store, or the parts of a model.",
        "说明文件夹的内容：词元库的掩码样本，或模型的各部分。",
    ),
)
CONVERT = Verb(
    "convert",
    ConvertSettings,
    Phrase(
        "Turn a checkpoint of Google, transformers or Keras into one of another kind.",
        "在谷歌、transformers、Keras 的检查点格式之间转换。",
    ),
)
PRETRAIN = Verb("pretrain", PretrainSettings, Phrase("Pretrain a BERT on a token store.", "在词元库上预训练 BERT。"))
FINETUNE = Verb(
    "finetune",
    FinetuneSettings,
    Phrase("Fine-tune a BERT on a labelled table and measure it.", "在带标签的表格上微调 BERT 并评测。"),
)
EVALUATE = Verb(
    "evaluate",
    EvaluateSettings,
    Phrase("Measure a fine-tuned model on a labelled table.", "在带标签的表格上评测微调后的模型。"),
)
PREDICT = Verb(
    "predict",
    PredictSettings,
    Phrase("Answer a text, or every row of a table, with a fine-tuned model.", "用微调后的模型预测一段文本或表格的每一行。"),
)
COMPARE = Verb(
    "compare",
    CompareSettings,
    Phrase(
        "Put runs beside each other, finished or under way: settings, data, curves, results.",
        "并排比较多次运行（已结束或进行中）：设置、数据、曲线、结果。",
    ),
)
CONFIG_NEW = Verb(
    "config new",
    ConfigNewSettings,
    Phrase(
        "Write a config, from a preset or from a wish such as 25M parameters.",
        "写出配置：从预设开始，或按愿望（如 2500 万参数）。",
    ),
)
CONFIG_SHOW = Verb(
    "config show",
    ConfigShowSettings,
    Phrase("Show every field of a preset or a config.json.", "展示预设或 config.json 的每个字段。"),
)
CONFIG_EXPLAIN = Verb(
    "config explain",
    ConfigExplainSettings,
    Phrase(
        "Explain a field of a config: what it does, what it costs, when to change it.", "说明配置的字段：作用、代价、何时修改。"
    ),
)
CONFIG_CHECK = Verb(
    "config check",
    ConfigCheckSettings,
    Phrase("Find every fault of a config, and what is slow or odd in it.", "找出配置中的全部错误，以及缓慢或反常之处。"),
)
CONFIG_DIFF = Verb(
    "config diff",
    ConfigDiffSettings,
    Phrase(
        "Compare two configs: fields, parameters, cost, and whether weights fit.",
        "比较两个配置：字段、参数、代价、权重是否相容。",
    ),
)
CONFIG_CONVERT = Verb(
    "config convert",
    ConfigConvertSettings,
    Phrase(
        "Turn a config of transformers, Google, keras-hub or UER-py into another.",
        "在 transformers、谷歌、keras-hub、UER-py 的配置格式之间转换。",
    ),
)
CONFIG_PRESETS = Verb(
    "config presets",
    ConfigPresetsSettings,
    Phrase("List the published sizes with their exact counts of parameters.", "列出已发布的各种大小及其准确参数量。"),
)
CONFIG_ESTIMATE = Verb(
    "config estimate",
    ConfigEstimateSettings,
    Phrase(
        "Tell what a config costs before it runs: parameters, operations, memory, time.",
        "训练之前估计配置的代价：参数、运算量、内存、时间。",
    ),
)
VERBS = (
    QUICKSTART,
    VOCAB,
    PREPARE,
    INSPECT,
    PRETRAIN,
    FINETUNE,
    EVALUATE,
    PREDICT,
    CONVERT,
    COMPARE,
    CONFIG_NEW,
    CONFIG_SHOW,
    CONFIG_EXPLAIN,
    CONFIG_CHECK,
    CONFIG_DIFF,
    CONFIG_CONVERT,
    CONFIG_PRESETS,
    CONFIG_ESTIMATE,
)


def as_function(verb: Verb) -> Callable[..., Result]:
    """The verb as a Python function whose keywords are the fields of its settings."""
    arguments = verb.positional()

    # `**given` is the one place where keywords are not spelled out: the signature below spells them out from the settings
    def call(*positional: object, listen: Listener = ignore, language: str = "en", **given: object) -> Result:
        everything = given | _named(verb, arguments, positional, given)
        return verb.job()(build(verb.settings, everything), given=everything, listen=listen, language=language)

    call.__name__ = call.__qualname__ = verb.name
    call.__module__ = __name__
    call.__doc__ = _docstring(verb)
    call.__signature__ = _signature(verb)  # type: ignore[attr-defined]
    return call


def _named(verb: Verb, arguments: list[str], positional: tuple[object, ...], given: Mapping[str, object]) -> dict[str, object]:
    """The positional values under their names.

    Raises:
        ConfigError: there are too many, or one was given by name as well.
    """
    twice = [name for name in arguments[: len(positional)] if name in given]
    if len(positional) > len(arguments) or twice:
        raise ConfigError(
            "positional-values",
            "{verb} got {count} values without a name",
            do="give by position at most, in this order and not by name as well: {names}; everything else by name",
            verb=verb.name,
            count=len(positional),
            names=", ".join(arguments) or "-",
        )
    return dict(zip(arguments, positional))


def _signature(verb: Verb) -> inspect.Signature:
    hints = types_of(verb.settings)
    parameters = [
        _P(
            field.name,
            _P.POSITIONAL_OR_KEYWORD if doc_of(field).positional else _P.KEYWORD_ONLY,
            default=_P.empty if field.default is dataclasses.MISSING else field.default,
            annotation=hints[field.name],
        )
        for field in verb.fields()
    ]
    parameters += [
        _P("listen", _P.KEYWORD_ONLY, default=ignore, annotation=Listener),
        _P("language", _P.KEYWORD_ONLY, default="en", annotation=str),
    ]
    return inspect.Signature(parameters, return_annotation=Result)


def _docstring(verb: Verb) -> str:
    hints = types_of(verb.settings)
    lines = [f"{f.name}: {details(f, hints[f.name], 'en')}" for f in verb.fields()]
    lines += ["listen: called with each event of the work", "language: of the pages and cards that are written, en or zh"]
    return "\n".join(
        [
            verb.summary.en,
            "",
            "Args:",
            *(f"    {line}." for line in lines),
            "",
            "Raises:",
            "    BertsmithError: a person can mend it.",
        ]
    )


quickstart = as_function(QUICKSTART)
vocab = as_function(VOCAB)
prepare = as_function(PREPARE)
inspect_store = as_function(INSPECT)
pretrain = as_function(PRETRAIN)
finetune = as_function(FINETUNE)
evaluate = as_function(EVALUATE)
predict = as_function(PREDICT)
convert = as_function(CONVERT)
compare = as_function(COMPARE)
