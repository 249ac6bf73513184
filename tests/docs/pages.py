"""The code blocks of a page, and a program that runs them in order: `python pages.py PAGE …` in a folder with samples.

A comment in front of a block says what is special about it:

    <!-- not run: REASON -->    it is only read
    <!-- exits with N -->       its last command ends with this exit code
    <!-- prints -->             it is what the block before printed on standard output
"""

import contextlib
import functools
import io
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"(?:<!-- (?P<note>[^\n]*?) -->\n+)?^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
RUN = ("bash", "python")

# What a test gives instead, so that a page can show the numbers for real work.
SHORT = {
    "pretrain": {"model": "tiny", "steps": 4, "precision": "fp32", "threads": 1},
    "finetune": {"epochs": 1, "seeds": 1, "baselines": "none", "precision": "fp32", "threads": 1},
    "predict": {"threads": 1},
    "evaluate": {"threads": 1},
}


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the comment in front of it."""

    kind: str
    text: str
    note: str

    @property
    def is_run(self):
        return self.kind in RUN and not self.note.startswith("not run: ")

    @property
    def exit_code(self):
        return int(self.note.removeprefix("exits with ")) if self.note.startswith("exits with ") else 0


def blocks_of(page: Path) -> list[Block]:
    """Every fenced block of a page, in order."""
    found = _BLOCK.finditer(page.read_text(encoding="utf-8"))
    return [Block(match["kind"], match["text"], match["note"] or "") for match in found]


def run_page(page: Path) -> None:
    """Run the blocks of a page in order; python blocks share their names."""
    names, printed = {"__name__": "page"}, ""
    for block in blocks_of(page):
        if block.note == "prints":
            assert block.text == printed, f"{page}: printed\n{printed}\nbut the page has\n{block.text}"
        if block.is_run:
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                code = _run_shell(block.text) if block.kind == "bash" else _run_python(block.text, names)
            printed = output.getvalue()
            assert code == block.exit_code, f"{page}: exit code {code}, not {block.exit_code}, of\n{block.text}{printed}"


def _run_shell(text):
    from bertsmith.cli.main import main

    code = 0
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words and code:
            return f"{code} before {line}"
        if words[:1] == ["bertsmith"]:
            code = main(_shortened_words(words[1:]))
        elif words:
            done = subprocess.run(["bash", "-ec", line], capture_output=True, text=True, check=False)
            print(done.stdout, end="")
            code = done.returncode
    return code


def _run_python(text, names):
    exec(compile(text, "<page>", "exec"), names)  # the page's own code is what is tested
    return 0


def _shortened_words(words):
    """The command line with what a test gives instead."""
    instead = SHORT.get(words[0], {})
    if words[0] == "pretrain" and Path(words[words.index("--model") + 1] if "--model" in words else "mini").exists():
        instead = {name: value for name, value in instead.items() if name != "model"}
    if "--budget" in words:  # time in place of steps
        instead = {name: value for name, value in instead.items() if name != "steps"} | {"budget": "2s"}
    kept, waiting = [], list(words)
    while waiting:
        word = waiting.pop(0)
        if word.removeprefix("--").replace("-", "_") in instead and word.startswith("--"):
            waiting.pop(0)
        else:
            kept.append(word)
    return kept + [part for name, value in instead.items() for part in (f"--{name}", str(value))]


def _shorten_python():
    import bertsmith

    for name, instead in SHORT.items():
        setattr(bertsmith, name, _with(getattr(bertsmith, name), instead))


def _with(function, instead):
    @functools.wraps(function)
    def call(*positional, **named):
        return function(*positional, **{**named, **instead})

    return call


if __name__ == "__main__":
    _shorten_python()
    for argument in sys.argv[1:]:
        run_page(Path(argument))
