"""The rules of the house, read from the files and their syntax trees."""

import ast
import inspect
import pkgutil
import re
import string
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pytest

import bertsmith
from bertsmith import errors, messages

SOURCE = Path(bertsmith.__file__).parent
PROJECT = Path(__file__).parent.parent
MODULES = sorted(path for path in SOURCE.rglob("*.py"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in MODULES}

ROOMS = {
    "checkpoints",
    "cli",
    "config",
    "data",
    "inference",
    "inspection",
    "jobs",
    "messages",
    "models",
    "records",
    "reports",
    "serving",
    "tasks",
    "text",
    "training",
}
LIGHT_ROOMS = ("checkpoints", "config", "data", "messages", "records", "reports", "tasks", "text")
VAGUE = {"base", "common", "core", "helper", "helpers", "misc", "tools", "util", "utils"}
FRAMEWORKS = ("torch", "tensorflow", "keras", "jax", "transformers")
MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:home|root|work|opt|mnt|Users)/\w")
REGISTRY_HOSTS = re.compile(r"(?:pypi|pythonhosted)\.org|/simple/|--(?:extra-)?index-url|find-links", re.IGNORECASE)
UNFINISHED = re.compile(r"\b(?:TO-?DO|FIX-?ME|X{3}|HACK|NotImplemented(?:Error)?)\b")


def named(path):
    return str(path.relative_to(PROJECT))


def project_texts():
    """Every text that is read by people: sources, tests, documents, project files."""
    patterns = ("src/**/*.py", "src/**/*.jinja", "src/**/*.css", "tests/**/*.py", "benchmarks/**/*", "docs/**/*", "*", ".ci/*")
    paths = {path for pattern in patterns for path in PROJECT.glob(pattern)}
    texts = {".cfg", ".css", ".ini", ".jinja", ".md", ".py", ".toml", ".txt", ".yaml", ".yml", ""}
    return sorted(path for path in paths if path.is_file() and path.suffix in texts and "__pycache__" not in path.parts)


def frameworks_after(code):
    """Frameworks that are loaded after the code ran in a fresh interpreter."""
    program = f"import sys\n{code}\nprint(*[name for name in {FRAMEWORKS} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout.split()


def calls(tree, names):
    """The calls of functions or classes of these names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            yield node


def test_importing_bertsmith_loads_no_framework():
    assert frameworks_after("import bertsmith") == []


def test_importing_every_light_room_loads_no_framework():
    paths = (path.relative_to(SOURCE.parent) for path in MODULES)
    light = [path for path in paths if path.parts[1] in LIGHT_ROOMS or path.name == "settings.py"]
    names = [".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in light]
    assert frameworks_after(f"import importlib\nfor name in {names}: importlib.import_module(name)") == []


def test_rooms_are_those_of_the_design():
    rooms = {path.name for path in SOURCE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert rooms <= ROOMS


def test_every_room_has_something_in_it():
    empty = [
        named(room)
        for room in SOURCE.rglob("*")
        if room.is_dir() and (room / "__init__.py").exists() and len(list(room.iterdir())) == 1
    ]
    assert empty == []


def test_nothing_has_a_vague_name():
    assert [named(path) for path in MODULES if VAGUE & {path.stem, *path.relative_to(SOURCE).parts}] == []


def test_no_file_is_longer_than_400_lines():
    lengths = {named(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {name: length for name, length in lengths.items() if length > 400} == {}


def test_no_body_is_longer_than_60_lines():
    long = {}
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
                if body[-1].end_lineno - body[0].lineno + 1 > 60:
                    long[f"{named(path)}:{node.name}"] = body[-1].end_lineno - body[0].lineno + 1
    assert long == {}


def test_only_the_command_line_prints_and_exits():
    # programs of their own, whose standard error and exit code the process that runs them reads
    programs = {"unpickle.py", "peer_transformers.py", "peer_keras_hub.py"}
    loud = []
    for path, tree in TREES.items():
        if "cli" not in path.relative_to(SOURCE).parts and path.name not in programs:
            loud += [f"{named(path)}:{call.lineno}" for call in calls(tree, {"print", "exit", "quit", "input"})]
            loud += [
                f"{named(path)}:{node.lineno}"
                for node in ast.walk(tree)
                if isinstance(node, ast.Attribute) and ast.unparse(node) in ("sys.exit", "sys.stdout", "sys.stderr", "os._exit")
            ]
    assert loud == []


def test_no_function_takes_loose_keywords():
    # the named values of a template, and the documented fields of a dataclass
    allowed = {"errors.py:__init__", "progress.py:note", "progress.py:warning", "bert.py:replace", "verbs.py:call"}
    loose = {
        f"{path.name}:{node.name}"
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.args.kwarg
    }
    assert loose <= allowed


@pytest.mark.parametrize(
    "pattern", [MACHINE_PATHS, REGISTRY_HOSTS, UNFINISHED], ids=["machine paths", "registry hosts", "unfinished work"]
)
def test_no_text_mentions_what_belongs_to_one_machine_or_is_unfinished(pattern):
    found = [
        f"{named(path)}:{number}: {line.strip()}"
        for path in project_texts()
        if path.name not in ("LICENSE", Path(__file__).name)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == []


@dataclass(frozen=True)
class Message:
    """A message as it stands where it is raised or emitted."""

    place: str
    code: str
    templates: tuple[str, ...]  # what was wrong and what to do; of a note its sentence
    values: frozenset[str]
    open_values: bool  # `**named` adds values that the syntax tree does not show

    @property
    def placeholders(self):
        return placeholders(*self.templates)


def placeholders(*templates):
    fields = (field for template in templates for _, field, _, _ in string.Formatter().parse(template))
    return {re.split(r"[.\[]", field)[0] for field in fields if field is not None}


def text_of(node):
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def message_of(path, call, own_keywords):
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    texts = [text_of(node) for node in call.args[:2]] + [text_of(keywords[name]) for name in own_keywords if name in keywords]
    if len(texts) != 2 + len(own_keywords) or None in texts:
        return None
    values = frozenset(keywords.keys() - {None, *own_keywords, "where"})
    return Message(f"{named(path)}:{call.lineno}", texts[0], tuple(texts[1:]), values, None in keywords)


ERROR_NAMES = {name for name, cls in vars(errors).items() if inspect.isclass(cls) and issubclass(cls, errors.BertsmithError)}


def found(names, own_keywords):
    """All messages made by calls of `names`, and the places of those whose templates are not literal."""
    messages_found, not_literal = [], []
    for path, tree in TREES.items():
        for call in calls(tree, names):
            message = message_of(path, call, own_keywords)
            if message:
                messages_found.append(message)
            else:
                not_literal.append(f"{named(path)}:{call.lineno}")
    return messages_found, not_literal


RAISED, RAISED_OTHERWISE = found(ERROR_NAMES, ("do",))
NOTED, NOTED_OTHERWISE = found({"note", "warning"}, ())
SHOWN, SHOWN_OTHERWISE = found({"Symptom"}, ())  # what diagnostics may find; their values come from a function
KINDS = [pytest.param(RAISED, messages.ERRORS, id="errors"), pytest.param(NOTED + SHOWN, messages.NOTES, id="notes")]


def test_every_message_is_literal_where_it_is_raised():
    assert RAISED
    assert RAISED_OTHERWISE + NOTED_OTHERWISE + SHOWN_OTHERWISE == []


def test_one_code_has_one_template():
    templates = defaultdict(set)
    for message in RAISED + NOTED + SHOWN:
        templates[message.code].add(message.templates)
    assert {code: told for code, told in templates.items() if len(told) > 1} == {}


def test_codes_are_words_with_hyphens():
    assert [
        message.place for message in RAISED + NOTED + SHOWN if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", message.code)
    ] == []


def test_every_placeholder_gets_its_value():
    without = {
        message.place: sorted(message.placeholders - message.values)
        for message in RAISED + NOTED
        if not message.open_values and message.placeholders - message.values
    }
    assert without == {}


@pytest.mark.parametrize(("english", "chinese"), KINDS)
def test_every_message_has_its_chinese(english, chinese):
    assert sorted({message.code for message in english} - chinese.keys()) == []


@pytest.mark.parametrize(("english", "chinese"), KINDS)
def test_no_chinese_is_left_over(english, chinese):
    assert sorted(chinese.keys() - {message.code for message in english}) == []


@pytest.mark.parametrize(("english", "chinese"), KINDS)
def test_both_languages_show_the_same_values(english, chinese):
    differing = {}
    for message in english:
        templates = chinese.get(message.code)
        if templates is not None:
            theirs = placeholders(*([templates] if isinstance(templates, str) else templates))
            if theirs != message.placeholders:
                differing[message.code] = sorted(theirs ^ message.placeholders)
    assert differing == {}


@pytest.mark.parametrize("chinese", [messages.ERRORS, messages.NOTES], ids=["errors", "notes"])
def test_the_chinese_is_chinese(chinese):
    assert [code for code, templates in chinese.items() if not re.search(r"[\u4e00-\u9fff]", "".join(templates))] == []


def test_no_two_rooms_translate_the_same_code():
    names = [module.name for module in pkgutil.iter_modules(messages.__path__) if module.name.startswith("zh_")]
    rooms = [import_module(f"bertsmith.messages.{name}") for name in names]
    counts = Counter(code for room in rooms for part in ("ERRORS", "NOTES") for code in getattr(room, part, {}))
    assert [code for code, count in counts.items() if count > 1] == []
