"""The docstrings of one Python file, read from its syntax tree; nothing is imported or run."""

import ast
import inspect
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bertsmith.data.documentation_prose import prose
from bertsmith.data.documentation_sources import TOPICS_MODULE, SourceFile

_Function = (ast.FunctionDef, ast.AsyncFunctionDef)
_Branch = (ast.If, ast.Try, ast.With)
# Calls that give compiled functions their docstring: numpy, scipy.special, torch.
_ATTACHING = ("add_newdoc", "_add_newdoc", "add_docstr", "_add_docstr", "add_docstr_all", "add_newdoc_for_scalar_type")
_LEAST_SHARE = 0.05  # of a file between triple quotes: below stand 17 % of all code and 1.6 % of all text (measured), so parsing does not pay
_SHORTEST = 16  # characters; a shorter text is no sentence
_PLACEHOLDER = re.compile(r"\{\w*\}")


@dataclass(frozen=True)
class Docstring:
    """A docstring as prose. `group` tells which docstrings tell one story: those of a class, or one function alone."""

    name: str
    kind: str
    group: str
    sentences: tuple[str, ...]


def read_file(source: SourceFile) -> list[Docstring] | None:
    """The docstrings of a file as prose, in the order of the file; None where the file cannot be read or parsed."""
    try:
        content = source.path.read_bytes()
    except OSError:
        return None
    if source.module != TOPICS_MODULE and not _documented(content):
        return []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # old escapes in other people's strings
        try:
            tree = ast.parse(content)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
    raw = _topics(tree) if source.module == TOPICS_MODULE else _docstrings(tree, source.module)
    cleaned = ((name, kind, group, prose(inspect.cleandoc(text))) for name, kind, group, text in raw if len(text) >= _SHORTEST)
    return [Docstring(name, kind, group, sentences) for name, kind, group, sentences in cleaned if sentences]


def read_files(sources: Sequence[SourceFile]) -> list[list[Docstring] | None]:
    """`read_file` over several files: the work of one process."""
    return [read_file(source) for source in sources]


def _documented(content: bytes) -> bool:
    quoted = content.replace(b"'''", b'"""').split(b'"""')[1::2]
    return sum(map(len, quoted)) > _LEAST_SHARE * len(content)


_Raw = tuple[str, str, str, str]  # name, kind, group, text


def _topics(tree: ast.Module) -> Iterator[_Raw]:
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Dict):
            for key, value in zip(statement.value.keys, statement.value.values, strict=True):
                text = _text(value)
                if isinstance(key, ast.Constant) and text:
                    yield str(key.value), "topic", str(key.value), text


def _docstrings(tree: ast.Module, module: str) -> Iterator[_Raw]:
    if text := _own_docstring(tree):
        yield module, "module", "", text
    yield from _of_body(tree.body, owner="")


def _of_body(body: Sequence[ast.stmt], owner: str) -> Iterator[_Raw]:
    """Docstrings of the functions and classes of a body; `owner` is the outermost class around it."""
    for node in body:
        if isinstance(node, _Function):
            if text := _own_docstring(node):
                yield node.name, "method" if owner else "function", owner or node.name, text
        elif isinstance(node, ast.ClassDef):
            if text := _own_docstring(node):
                yield node.name, "class", owner or node.name, text
            yield from _of_body(node.body, owner or node.name)
        elif isinstance(node, _Branch):
            for field in ("body", "orelse", "finalbody"):
                yield from _of_body(getattr(node, field, []), owner)
        elif isinstance(node, ast.Expr | ast.Assign) and isinstance(node.value, ast.Call):
            yield from _attached(node.value)


def _attached(call: ast.Call) -> Iterator[_Raw]:
    """The docstring that a call such as `add_newdoc("numpy", "absolute", "…")` hands to a compiled function."""
    called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if called not in _ATTACHING:
        return
    parts = [item for argument in call.args for item in (argument.elts if isinstance(argument, ast.Tuple) else [argument])]
    texts = [text for part in parts if (text := _text(part))]
    named = next((part for part in parts if isinstance(part, ast.Attribute | ast.Name)), None)
    if texts:
        names = [*texts[1:-1], *texts[:-1]]  # ("module", "name", "text"), ("name", "text"), (module.name, "text")
        name = named.attr if isinstance(named, ast.Attribute) else (names or ["attached"])[0].split("\n")[0]
        yield name, "function", name, texts[-1]


def _own_docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    first = node.body[0] if node.body else None
    return _text(first.value) if isinstance(first, ast.Expr) else ""


def _text(node: ast.expr) -> str:
    """The text of a string, of a sum of strings, or of a string that `format` is called on; empty for anything else."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _text(node.left) + _text(node.right)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return _PLACEHOLDER.sub("", _text(node.func.value))
    return ""
