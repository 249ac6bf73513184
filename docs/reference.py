"""Write the reference pages in both languages from the documented fields and the messages: `python docs/reference.py`."""

import ast
import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bertsmith
from bertsmith import errors
from bertsmith.config.bert import BertConfig
from bertsmith.config.estimate.parameters import parameters
from bertsmith.config.fields import doc_of, type_name, types_of
from bertsmith.config.presets import PRESETS, preset
from bertsmith.jobs.field_text import details
from bertsmith.jobs.verbs import VERBS, Verb
from bertsmith.messages import ERRORS, NOTES, Phrase
from bertsmith.training.pretraining.diagnostics.before import BEFORE
from bertsmith.training.pretraining.diagnostics.during import DURING

DOCS = Path(__file__).parent
LANGUAGES = ("en", "zh")
_GENERATED = "<!-- made by docs/reference.py; change the fields and messages in src, then run it again -->\n\n"

_COMMANDS = Phrase("# Commands\n", "# 命令\n")
_COMMANDS_ABOUT = Phrase(
    "Every command takes `--language en|zh`, `--json` (the result as JSON on standard output, progress on standard error) and `--help`. "
    "Without `--language` the variables `BERTSMITH_LANG`, `LC_ALL`, `LC_MESSAGES` and `LANG` decide. "
    "The same names, with underscores, are the keywords in Python.\n",
    "每个命令都接受 `--language en|zh`、`--json`（结果以 JSON 写到标准输出，进度写到标准错误）与 `--help`。"
    "未给出 `--language` 时由变量 `BERTSMITH_LANG`、`LC_ALL`、`LC_MESSAGES`、`LANG` 决定。在 Python 中用同样的名字作关键字，连字符换成下划线。\n",
)
_IN_PYTHON = Phrase("In Python: `{call}`", "Python：`{call}`")
_FLAG = Phrase("| argument or flag | meaning |", "| 参数或选项 | 含义 |")
_CONFIG = Phrase("# Config fields\n", "# 配置字段\n")
_CONFIG_ABOUT = Phrase(
    "The fields of `BertConfig`; a `config.json` of transformers has the same names, with `gelu` for `gelu_erf` and "
    "`gelu_pytorch_tanh` for `gelu_tanh`.\n",
    "`BertConfig` 的字段；transformers 的 `config.json` 用同样的名字，其中 `gelu` 即 `gelu_erf`，`gelu_pytorch_tanh` 即 `gelu_tanh`。\n",
)
_FIELD = Phrase("| field | type | meaning | cost | when to change it |", "| 字段 | 类型 | 含义 | 代价 | 何时修改 |")
_PRESETS = Phrase(
    "## Presets\n\nA `?` behind the gelu: inferred, not stated by the publishers. Without weights: a size to train.\n",
    "## 预设\n\ngelu 后的 `?`：推断所得，发布者没有写明。没有权重的是供训练用的大小。\n",
)
_PRESET = Phrase(
    "| name | layers | width | heads | feed-forward width | pieces | gelu | parameters of encoder and pooler | with both pretraining heads | weights |",
    "| 名称 | 层数 | 宽度 | 头数 | 前馈宽度 | 词片 | gelu | 编码器与池化层的参数 | 加两个预训练头 | 权重 |",
)
_ERRORS = Phrase("# Exit codes and errors\n", "# 退出码与错误\n")
_ERRORS_ABOUT = Phrase(
    "Every error that a person can mend says what was wrong, where, and what to do, and ends its first line with a stable code in "
    'brackets. In Python it is an exception below `BertsmithError` with `.code`, `.where` and `.text("en")`.\n',
    "凡使用者能够改正的错误，都说明错在哪里、出在何处、该怎么做，首行末尾方括号中是固定的代码。在 Python 中它是 `BertsmithError` 的子类，"
    '带有 `.code`、`.where` 与 `.text("zh")`。\n',
)
_EXIT = Phrase("| exit code | meaning |", "| 退出码 | 含义 |")
_EXITS = (
    (0, Phrase("done", "完成")),
    (1, Phrase("a fault of bertsmith; a file for a report is named", "bertsmith 自身的缺陷；会给出可供反馈的文件")),
    (2, Phrase("usage: a flag, an argument, a setting", "用法：选项、参数、设置")),
    (3, Phrase("data: a corpus, a table, a vocabulary, a token store", "数据：语料、表格、词表、词元库")),
    (4, Phrase("a model folder, a weight file, a run folder, a training state", "模型文件夹、权重文件、运行文件夹、训练状态")),
    (5, Phrase("the machine: memory, disk, a missing package, a device", "机器：内存、磁盘、缺少的包、设备")),
    (130, Phrase("interrupted; the work so far is saved", "被中断；已完成的工作已保存")),
)
_FINDINGS = Phrase("# What may be found about a run\n", "# 关于一次运行的发现\n")
_FINDINGS_ABOUT = Phrase(
    "`pretrain` looks for these before its first step and behind each one. Each is told once, on standard error, in `log.jsonl`, in the report and in the "
    "`findings` of the result.\n",
    "`pretrain` 在第一步之前与每一步之后查看这些。每个只说一次：在标准错误、`log.jsonl`、报告，以及结果的 `findings` 中。\n",
)
_MOMENTS = (
    (Phrase("## Before the first step\n", "## 第一步之前\n"), BEFORE),
    (Phrase("## While it learns\n", "## 学习之中\n"), DURING),
)
_FINDING = Phrase("| code | what it says | kind | where the bound comes from |", "| 代码 | 内容 | 类别 | 界限的来源 |")
_ALARM, _NORMAL = Phrase("alarm", "警报"), Phrase("as it should be", "正常")
_BY_CODE = Phrase("## Errors with exit code {code}\n", "## 退出码 {code} 的错误\n")
_ERROR = Phrase("| code | what it says | what to do |", "| 代码 | 内容 | 怎么办 |")


def pages(language: str) -> dict[str, str]:
    """The reference pages of a language by their path below it."""
    texts = {
        "commands": _commands(language),
        "config": _config(language),
        "errors": _errors(language),
        "findings": _findings(language),
    }
    return {f"reference/{name}.md": _GENERATED + text for name, text in texts.items()}


def _commands(language: str) -> str:
    parts = [_COMMANDS.text(language), _COMMANDS_ABOUT.text(language)]
    for verb in VERBS:
        hints = types_of(verb.settings)
        parts += [f"## {verb.name}\n", verb.summary.text(language) + "\n"]
        if verb.name in bertsmith.__all__:
            parts.append(_IN_PYTHON.text(language).format(call=_call(verb)) + "\n")
        rows = [(_flag(field, hints[field.name]), details(field, hints[field.name], language)) for field in verb.fields()]
        parts.append(_table(_FLAG.text(language), rows))
    return "\n".join(parts)


def _findings(language: str) -> str:
    parts = [_FINDINGS.text(language), _FINDINGS_ABOUT.text(language)]
    for heading, symptoms in _MOMENTS:
        rows = [
            (
                f"`{one.code}`",
                re.sub(r"\{(\w+)\}", r"‹\1›", one.english if language == "en" else NOTES[one.code]),
                (_ALARM if one.alarm else _NORMAL).text(language),
                one.source.text(language),
            )
            for one in symptoms
        ]
        parts += [heading.text(language), _table(_FINDING.text(language), rows)]
    return "\n".join(parts)


def _call(verb: Verb) -> str:
    return f"bertsmith.{verb.name}({', '.join([*verb.positional(), '…'])})"


def _flag(field: "dataclasses.Field[Any]", hint: Any) -> str:
    name = field.name.replace("_", "-")
    if doc_of(field).positional:
        return f"`{field.name.upper()}`"
    return f"`--{name}` `--no-{name}`" if hint is bool else f"`--{name}`"


def _config(language: str) -> str:
    hints = types_of(BertConfig)
    rows = [
        (
            f"`{field.name}`",
            type_name(hints[field.name]).text(language),
            details(field, hints[field.name], language),
            doc_of(field).cost.text(language),
            doc_of(field).change.text(language),
        )
        for field in dataclasses.fields(BertConfig)
    ]
    sizes = []
    for name, known in PRESETS.items():
        config = preset(name)
        shape = (config.num_hidden_layers, config.hidden_size, config.num_attention_heads, config.intermediate_size)
        counts = parameters(config)
        hub = f"`{known.hub}`" if known.hub else ""
        told = (known.gelu, f"{counts.encoder:,}", f"{counts.pretraining:,}", hub)
        sizes.append((f"`{name}`", *map(str, shape), str(config.vocab_size), *told))
    parts = [_CONFIG, _CONFIG_ABOUT]
    tables = [_table(_FIELD.text(language), rows), _PRESETS.text(language), _table(_PRESET.text(language), sizes)]
    return "\n".join([*(part.text(language) for part in parts), *tables])


def _errors(language: str) -> str:
    exits = [(str(code), meaning.text(language)) for code, meaning in _EXITS]
    parts = [_ERRORS.text(language), _ERRORS_ABOUT.text(language), _table(_EXIT.text(language), exits)]
    found = sorted(set(_raised()))
    for exit_code in sorted({code for code, *_ in found}):
        rows = []
        for _, code, what, do in (row for row in found if row[0] == exit_code):
            told = (what, do) if language == "en" else ERRORS.get(code, (what, do))
            rows.append((f"`{code}`", *(re.sub(r"\{(\w+)[^}]*\}", r"‹\1›", text) for text in told)))
        parts += [_BY_CODE.text(language).format(code=exit_code), _table(_ERROR.text(language), rows)]
    return "\n".join(parts)


def _raised() -> Iterator[tuple[int, str, str, str]]:
    """Exit code, code, sentence and advice of every error, read from the syntax trees."""
    kinds = {
        name: kind.exit_code for name, kind in vars(errors).items() if isinstance(kind, type) and hasattr(kind, "exit_code")
    }
    for path in sorted(Path(bertsmith.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds and len(node.args) == 2:
                do = next((keyword.value for keyword in node.keywords if keyword.arg == "do"), None)
                texts = [ast.literal_eval(part) for part in (*node.args, do) if isinstance(part, ast.Constant)]
                if len(texts) == 3:
                    yield kinds[node.func.id], *texts


def _table(head: str, rows: list[tuple[str, ...]]) -> str:
    lines = [head, "|" + "---|" * (head.count("|") - 1)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    for language in LANGUAGES:
        for name, text in pages(language).items():
            (DOCS / language / name).parent.mkdir(parents=True, exist_ok=True)
            (DOCS / language / name).write_text(text, encoding="utf-8")
