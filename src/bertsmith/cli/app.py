"""The tree of commands, with its help in the reader's language."""

from typing import TYPE_CHECKING, Any

from cyclopts import App, Group
from cyclopts.help import ColumnSpec, DefaultFormatter, HelpEntry
from cyclopts.help.specs import NameRenderer

from bertsmith import __version__
from bertsmith.cli.bridge import as_command
from bertsmith.jobs.verbs import VERBS, Verb
from bertsmith.messages import Phrase

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType

_ABOUT = Phrase(
    "bertsmith: one toolkit for the whole life of a BERT, from raw text to a trained, measured, usable model.",
    "bertsmith：BERT 全程工具箱，从原始文本到训练好、评测过、可用的模型。",
)
_CONFIG = Phrase("Look at configurations.", "查看配置。")
_COMMANDS = Phrase("Commands", "命令")
_USAGE = Phrase("Usage", "用法")
_HELP = Phrase("show this page", "显示本页")
_VERSION = Phrase("show the version", "显示版本")
_EVERYWHERE = Phrase(
    "Everywhere: --language en|zh, --json (the result as JSON on standard output), --help, --version.",
    "通用选项：--language en|zh、--json（以 JSON 把结果写到标准输出）、--help、--version。",
)
_START = Phrase("Start with: bertsmith quickstart", "从这里开始：bertsmith quickstart")


class _Formatter(DefaultFormatter):
    """cyclopts' panels with columns and a usage line in the reader's language."""

    def __init__(self, language: str) -> None:
        super().__init__(column_specs=(_NAMES, _MEANING))
        self.language = language

    def render_usage(self, console: "Console", options: "ConsoleOptions", usage: Any) -> None:
        """The usage line."""
        mark = ": " if self.language == "en" else "："
        console.print(f"{_USAGE.text(self.language)}{mark}{str(usage).strip()}", style="bold", markup=False, highlight=False)
        console.print()


def _meaning(entry: HelpEntry) -> "RenderableType":
    return entry.description  # type: ignore[no-any-return]


_NAMES = ColumnSpec(renderer=NameRenderer(max_width=32), style="cyclopts.name", max_width=32)
_MEANING = ColumnSpec(renderer=_meaning, overflow="fold")


def build_app(language: str) -> App:
    """Every command of `bertsmith`, its help in `en` or `zh`."""
    app = App(
        name="bertsmith",
        help=f"{_ABOUT.text(language)}\n\n{_START.text(language)}",
        usage="bertsmith COMMAND …",
        version=f"bertsmith {__version__}",
        help_format="plaintext",
        help_formatter=_Formatter(language),
        help_epilogue=_EVERYWHERE.text(language),
        group_commands=Group(_COMMANDS.text(language)),
    )
    for place, verb in enumerate(VERBS):
        _add(app, verb, place, language)
    app["--help"].help = _HELP.text(language)
    app["--version"].help = _VERSION.text(language)
    return app


def _add(app: App, verb: Verb, place: int, language: str) -> None:
    *parents, name = verb.words
    for parent in parents:
        if parent not in app:
            app.command(App(name=parent, help=_CONFIG.text(language), usage=f"bertsmith {parent} COMMAND …", sort_key=place))
        app = app[parent]
    arguments = " ".join(field.upper() for field in verb.positional())
    flags = {"en": "[flags]", "zh": "[选项]"}[language]
    usage = " ".join(part for part in ("bertsmith", verb.name, arguments, flags) if part)
    app.command(App(name=name, default_command=as_command(verb, language), usage=usage, sort_key=place))
