"""The documentation is true: both languages say the same, what is generated is current, and every code block runs."""

import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from pages import RUN, blocks_of
from samples import write_samples

PROJECT = Path(__file__).parents[2]
DOCS = PROJECT / "docs"
READMES = (PROJECT / "README.md", PROJECT / "README.zh-CN.md")
PAGES = sorted(path.relative_to(DOCS / "en").as_posix() for path in (DOCS / "en").rglob("*.md"))
PAIRS = [pytest.param(DOCS / "en" / page, DOCS / "zh" / page, id=page) for page in PAGES] + [
    pytest.param(*READMES, id="README")
]
EVERYTHING = [*READMES, *sorted(DOCS.glob("en/**/*.md")), *sorted(DOCS.glob("zh/**/*.md"))]

# Pages that are read one after the other in one folder; both languages have the same blocks, so the English ones are run.
PATHS = [
    ["README.md"],
    [
        "docs/en/guides/own-text.md",
        "docs/en/guides/own-table.md",
        "docs/en/guides/resume.md",
        "docs/en/guides/config.md",
        "docs/en/guides/convert.md",
        "docs/en/concepts/reading-a-run.md",
    ],
    ["docs/en/guides/pretraining.md"],
    ["docs/en/guides/documents-and-lines.md"],
    ["docs/en/guides/chinese.md"],
    ["docs/en/concepts/instances.md"],
    ["docs/en/concepts/packing.md"],
]


def headings(page):
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return [len(marks) for marks in re.findall(r"^(#+) ", text, flags=re.MULTILINE)]


def nav_pages(config):
    def walk(item):
        if isinstance(item, str):
            return [item]
        return [page for part in (item.values() if isinstance(item, dict) else item) for page in walk(part)]

    return walk(tomllib.loads(config.read_text(encoding="utf-8"))["project"]["nav"])


def reference():
    spec = importlib.util.spec_from_file_location("reference", DOCS / "reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_both_languages_have_the_same_pages():
    assert sorted(path.relative_to(DOCS / "zh").as_posix() for path in (DOCS / "zh").rglob("*.md")) == PAGES


@pytest.mark.parametrize(("english", "chinese"), PAIRS)
def test_both_languages_have_the_same_headings_and_blocks(english, chinese):
    assert headings(english) == headings(chinese)
    assert blocks_of(english) == blocks_of(chinese)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_page_is_in_the_navigation(language):
    assert sorted(nav_pages(PROJECT / f"zensical.{language}.toml")) == PAGES


@pytest.mark.parametrize("page", EVERYTHING, ids=lambda page: page.relative_to(PROJECT).as_posix())
def test_every_link_to_a_file_leads_to_one(page):
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_reference_pages_are_current(language):
    for name, text in reference().pages(language).items():
        assert (DOCS / language / name).read_text(encoding="utf-8") == text, "run: python docs/reference.py"


def test_each_readme_begins_with_a_link_to_the_other():
    first_lines = [page.read_text(encoding="utf-8").splitlines()[0] for page in READMES]
    assert ["README.zh-CN.md" in first_lines[0], "(README.md)" in first_lines[1]] == [True, True]


def test_every_code_block_is_on_a_path_that_is_run():
    on_paths = {PROJECT / page for path in PATHS for page in path}
    pages = [page for page in EVERYTHING if "zh" not in page.parts and page != READMES[1]]
    assert [page for page in pages if any(block.is_run for block in blocks_of(page)) and page not in on_paths] == []


def test_a_block_that_is_not_run_says_why():
    blocks = [block for page in EVERYTHING for block in blocks_of(page) if block.kind in RUN and not block.is_run]
    assert [block.note for block in blocks if len(block.note) < len("not run: because")] == []


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path[0])
def test_the_code_blocks_of_a_path_run(path, tmp_path):
    write_samples(tmp_path)
    command = [sys.executable, str(Path(__file__).with_name("pages.py")), *(str(PROJECT / page) for page in path)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "BERTSMITH_LANG": "en"}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
