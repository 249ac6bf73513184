"""Which Python files lie on every machine that has bertsmith: the standard library and what bertsmith itself requires."""

import re
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path, PurePosixPath

from packaging.requirements import InvalidRequirement, Requirement

STANDARD_LIBRARY = "python"
TOPICS_MODULE = "pydoc_data.topics"  # the language reference, one entry of a dictionary per topic

_ROOT = "bertsmith"
# Only in builds of torch for graphics processors: the text must not depend on which build is installed.
_OF_ONE_BUILD = re.compile(r"(nvidia|cuda)-|triton$|pytorch-triton")
_TESTS = ("test", "tests", "testing", "_testing", "idle_test", "turtledemo", "lib2to3", "__pycache__")
_FOREIGN = ("site-packages", "dist-packages", "ensurepip", "_bundled")
_COPIES = (
    "_vendor",
    "vendor",
    "vendored",
    "vendored_packages",
    "vendored_templates",
    "extern",
    "externals",
    "_externals",
    "third_party",
)
_SKIPPED_FOLDERS = frozenset((*_TESTS, *_FOREIGN, *_COPIES))
_TEST_FILE = re.compile(r"(test_.*|.*_tests?|conftest|tests?)\.py$")


@dataclass(frozen=True)
class SourceFile:
    """One Python file to read: where it is, and the library and module that it stands for."""

    path: Path
    library: str
    module: str


def find_sources() -> list[SourceFile]:
    """The Python files of the standard library and of all that bertsmith requires, sorted by library and module.

    Requirements are followed from bertsmith's own, without extras, so that development tools in the same environment
    change nothing; tests and vendored copies of other projects are left out.
    """
    found = {*_standard_library(), *package_sources(_ROOT)}
    return sorted(found, key=lambda source: (source.library, source.module, str(source.path)))


def package_sources(root: str) -> list[SourceFile]:
    """The Python files of all that an installed project requires; a package without a list of its files has none."""
    return [source for name, package in required_distributions(root).items() for source in _files_of(name, package)]


def required_distributions(root: str) -> dict[str, metadata.Distribution]:
    """What an installed project requires, with what that requires in turn, by normalised name; the project itself is left out.

    Args:
        root: name of an installed project.
    """
    found: dict[str, metadata.Distribution] = {}
    waiting = _requirements(root)
    while waiting:
        name = waiting.pop()
        if name in found or name == root or _OF_ONE_BUILD.match(name):
            continue
        try:
            found[name] = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        waiting += _requirements(name)
    return dict(sorted(found.items()))


def _requirements(name: str) -> list[str]:
    """Normalised names that an installed project requires on this machine, extras left out; empty where it is not installed."""
    try:
        lines = metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return []
    names = []
    for line in lines:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            names.append(re.sub(r"[-_.]+", "-", requirement.name).lower())
    return names


def _files_of(library: str, distribution: metadata.Distribution) -> Iterator[SourceFile]:
    for file in distribution.files or []:
        if _is_read(file):
            yield SourceFile(Path(str(distribution.locate_file(file))), library, module_name(file))


def _standard_library() -> Iterator[SourceFile]:
    root = Path(sysconfig.get_path("stdlib"))
    for path in root.rglob("*.py"):
        file = PurePosixPath(path.relative_to(root).as_posix())
        if _is_read(file):
            yield SourceFile(path, STANDARD_LIBRARY, module_name(file))


def _is_read(file: PurePosixPath) -> bool:
    if file.suffix != ".py" or file.is_absolute() or ".." in file.parts:
        return False
    return not _TEST_FILE.match(file.name) and _SKIPPED_FOLDERS.isdisjoint(file.parts[:-1])


def module_name(file: PurePosixPath) -> str:
    """The dotted name of a module by its path below the import root."""
    parts = file.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)
