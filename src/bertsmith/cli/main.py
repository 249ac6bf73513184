"""The entry point `bertsmith`: reads the command line, runs the job, prints the result, sets the exit code.

Exit codes: 0 done, 1 a fault of bertsmith, 2 usage, 3 data, 4 checkpoint or run folder, 5 machine, 130 interrupted.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from io import TextIOWrapper
from typing import TYPE_CHECKING, TextIO

from bertsmith.cli.failures import BROKEN_PIPE, known_error, report, report_own_fault
from bertsmith.cli.general import General, environment_language, take_general

if TYPE_CHECKING:
    from bertsmith.jobs.verbs import Result, Verb


class _ReaderGone(Exception):
    """Whoever read our output has closed it, such as `head`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: the command line without the program's name; that of the process where it is left out.

    Returns:
        The exit code.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    general = General(environment_language(os.environ))
    try:
        general, rest = take_general(words, general.language)
        return _run(rest, general)
    except _ReaderGone:
        return BROKEN_PIPE
    except SystemExit:
        raise
    except BaseException as error:  # nothing that a person did may end in a traceback, Ctrl-C included
        return _fail(error, words, general.language)


def _run(words: list[str], general: General) -> int:
    """Do what the words ask for; the exit code is 0 unless the result is itself a finding of faults."""
    from cyclopts import CycloptsError  # here, so that what is told above this line is told at once

    from bertsmith.cli.app import build_app
    from bertsmith.cli.usage import usage_error
    from bertsmith.jobs.verbs import VERBS

    app = build_app(general.language)
    _show_any_character(sys.stdout)
    try:
        command, bound, _ = app.parse_args(words, print_error=False, exit_on_error=False)
    except CycloptsError as error:
        raise usage_error(error) from None
    verb = next((verb for verb in VERBS if verb.name == command.__name__), None)
    if verb is None:  # cyclopts' own: help and version
        command(*bound.args, **bound.kwargs)
        return 0
    result = _work(verb, bound.arguments, general)
    _show(result, general)
    return int(getattr(result, "exit_code", 0))


def _work(verb: "Verb", given: Mapping[str, object], general: General) -> "Result":
    from bertsmith.cli.bridge import settings_from
    from bertsmith.cli.progress import display

    settings = settings_from(verb, given)
    with display(sys.stderr, general.language) as listen:
        return verb.job()(settings, given=given, listen=listen, language=general.language)


def _show(result: "Result", general: General) -> None:
    if general.json:
        ascii_only = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
        text = json.dumps(result.numbers, indent=2, ensure_ascii=ascii_only)
    else:
        text = "\n".join(result.lines(general.language))
    try:
        print(text, flush=True)
    except BrokenPipeError as error:
        # the interpreter flushes once more when it ends; that must not fail again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise _ReaderGone from error


def _fail(error: BaseException, words: Sequence[str], language: str) -> int:
    told = known_error(error, words)
    text = report_own_fault(error, language, os.environ) if told is None else report(told, language, words)
    print(text, file=sys.stderr, flush=True)
    return 1 if told is None else told.exit_code


def _show_any_character(stream: TextIO) -> None:
    """Let a terminal with a narrow encoding show a mark for what it lacks, where Python would raise an error."""
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(errors="replace")
