import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from bertsmith.data.documentation import Documentation, module_split, read_sources
from bertsmith.data.documentation_sources import (
    TOPICS_MODULE,
    SourceFile,
    find_sources,
    module_name,
    package_sources,
    required_distributions,
)
from bertsmith.errors import DataError
from bertsmith.progress import Note

NUMBERS = ["nil", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def _module(tmp_path, name, text, library="fake"):
    path = tmp_path / f"{name}.py"
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return SourceFile(path, library, name)


def _function(number, split_word=""):
    first, second = NUMBERS[number // 10 % 10], NUMBERS[number % 10]
    return f'''
    def f{number}():
        """Function {first} {second} of this {split_word} module counts sheep.

        It was written {first} years and {second} days ago.
        """
    '''


def _names_in(split, count=1, seed=0):
    names = (f"module{number}" for number in range(10_000))
    return [name for name in names if module_split(name, seed) == split][:count]


def test_a_class_is_one_document_with_its_methods(tmp_path):
    source = _module(
        tmp_path,
        "shapes",
        '''
        class Circle:
            """A round thing of one radius."""

            def area(self):
                """The area of the round thing in square metres."""

                def helper():
                    """A function inside a function is nobody's document."""

        def draw():
            """Draw all the shapes that there are. Nothing is drawn twice."""
        ''',
    )
    documents = read_sources([source], workers=1).documents
    assert [(document.name, document.kind) for document in documents] == [("Circle", "class"), ("draw", "function")]
    assert documents[0].sentences == ("A round thing of one radius.", "The area of the round thing in square metres.")
    assert [passage.name for passage in documents[0].passages] == ["Circle", "area"]


def test_functions_of_one_sentence_join_the_document_of_their_module(tmp_path):
    text = '''
    """What a farm needs every day."""
    def milk():
        """Milk all of the cows."""
    def feed():
        """Feed all of the hens at noon."""
    '''
    (document,) = read_sources([_module(tmp_path, "farm", text)], workers=1).documents
    assert (document.kind, document.name) == ("module", "farm")
    assert document.sentences == ("What a farm needs every day.", "Milk all of the cows.", "Feed all of the hens at noon.")


def test_a_document_of_one_sentence_is_left_out(tmp_path):
    sources = [
        _module(tmp_path, "lone", '"""There is only this one sentence in here."""'),
        _module(tmp_path, "pair", '"""There is a first sentence here. And then there is another."""'),
    ]
    assert [document.module for document in read_sources(sources, workers=1).documents] == ["pair"]


def test_docstrings_that_are_attached_to_compiled_functions_are_read(tmp_path):
    text = """
    add_newdoc("numpy", "absolute", '''Find the absolute value of it. It is never below zero.''')
    add_newdoc("numpy", "dtype", ("kind", '''The kind of the data type. It is one letter only.'''))
    torch_abs = _add_docstr(torch.abs, r'''Absolute of every element there is. ''' + r'''{input} It gives back a tensor.'''.format(**names))
    """
    documents = read_sources([_module(tmp_path, "newdocs", text)], workers=1).documents
    assert [document.name for document in documents] == ["absolute", "dtype", "abs"]


def test_a_repeated_sentence_stands_once_and_is_counted(tmp_path):
    text = '"""This sentence stands in both of them. Only module {} says this here."""'
    first, second = _names_in("train", 2)
    sources = [_module(tmp_path, first, text.format("one")), _module(tmp_path, second, text.format("two") + '\n"""x"""')]
    documentation = read_sources(sources, workers=1)
    sentences = [sentence for document in documentation.documents for sentence in document.sentences]
    assert sentences.count("This sentence stands in both of them.") == 1
    assert documentation.counts.repeated == 1


def test_held_out_text_that_is_nearly_training_text_is_dropped(tmp_path):
    copied = "The quick brown animal jumps over a lazy dog that sleeps in front of the warm house every {}."
    (train,), (test,) = _names_in("train"), _names_in("test")
    sources = [
        _module(tmp_path, train, f'"""{copied.format("day")} A sentence of the training text."""'),
        _module(tmp_path, test, f'"""{copied.format("night")} A first sentence for the test. And a second one for it."""'),
    ]
    documentation = read_sources(sources, workers=1)
    assert documentation.counts.copied == 1
    assert documentation.of("test")[0].sentences == ("A first sentence for the test.", "And a second one for it.")


def test_a_sentence_of_two_splits_stays_in_train(tmp_path):
    (train,), (test,) = _names_in("train"), _names_in("test")
    text = '"""This is shared by two. This is {} only, it seems. And {} says one thing more."""'
    sources = [_module(tmp_path, test, text.format("test", "test")), _module(tmp_path, train, text.format("train", "train"))]
    documentation = read_sources(sources, workers=1)
    assert "This is shared by two." in documentation.of("train")[0].sentences
    assert "This is shared by two." not in documentation.of("test")[0].sentences


def test_unreadable_files_are_skipped_and_counted(tmp_path):
    good = _module(tmp_path, "good", '"""A module that is fine to read. It has two sentences."""')
    broken = _module(tmp_path, "broken", '"""A module with a mistake in it."""\ndef f(:')
    missing = SourceFile(tmp_path / "missing.py", "fake", "missing")
    binary = SourceFile(tmp_path / "binary.py", "fake", "binary")
    binary.path.write_bytes(b'"""\xff\xfe\x00 a text that is not a text"""' * 3)
    documentation = read_sources([good, broken, missing, binary], workers=1)
    assert documentation.counts.skipped == 3
    assert documentation.counts.documents == 1


def test_any_number_of_workers_reads_the_same(tmp_path):
    sources = [_module(tmp_path, f"part{number:02}", _function(number)) for number in range(70)]
    assert read_sources(sources, workers=1) == read_sources(sources, workers=2)


def test_a_script_without_a_main_guard_reads_in_its_own_process(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from pathlib import Path\n"
        "from bertsmith.data.documentation import read_sources\n"
        "from bertsmith.data.documentation_sources import SourceFile\n"
        "paths = sorted(Path(__file__).parent.glob('part*.py'))\n"
        "print(read_sources([SourceFile(path, 'fake', path.stem) for path in paths], workers=2).counts.documents)\n"
    )
    for number in range(40):
        _module(tmp_path, f"part{number:02}", _function(number))
    result = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60)
    assert result.stdout.split() == ["40"]


def test_nothing_to_read_is_an_error_that_names_the_way_out(tmp_path):
    with pytest.raises(DataError, match="documentation-none"):
        read_sources([_module(tmp_path, "empty", "x = 1")], workers=1)


def test_the_note_tells_all_counts_in_both_languages(tmp_path):
    heard = []
    documentation = read_sources([_module(tmp_path, "told", _function(3))], workers=1, listen=heard.append)
    (said,) = [event for event in heard if isinstance(event, Note)]
    assert f"{documentation.counts.sentences} sentences" in said.text("en")
    assert said.values["documents"] == 1


def test_the_split_of_a_module_depends_on_its_name_and_the_seed_alone():
    names = [f"package.module{number}" for number in range(3000)]
    splits = [module_split(name, 0) for name in names]
    assert splits == [module_split(name, 0) for name in names]
    assert splits != [module_split(name, 1) for name in names]
    assert 0.86 < splits.count("train") / 3000 < 0.90
    assert 0.04 < splits.count("dev") / 3000 < 0.08


def _install(folder, name, requires=(), files=()):
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    lines = [f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0", *[f"Requires-Dist: {line}" for line in requires]]
    (info / "METADATA").write_text("\n".join(lines) + "\n")
    (info / "RECORD").write_text("".join(f"{file},,\n" for file in files))


def test_what_is_required_is_followed_without_extras_and_without_other_packages(tmp_path, monkeypatch):
    _install(tmp_path, "rootfake", ["leaffake>=1", 'devfake; extra == "dev"', 'oldfake; python_version < "3"', "absentfake"])
    _install(tmp_path, "leaffake", ["rootfake", "Under_Fake"])
    for name in ("under-fake", "devfake", "oldfake", "strangerfake"):
        _install(tmp_path, name)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert list(required_distributions("rootfake")) == ["leaffake", "under-fake"]


def test_tests_vendored_copies_and_compiled_files_of_a_package_are_left_out(tmp_path, monkeypatch):
    kept = ["leafkept/__init__.py", "leafkept/part/core.py"]
    left = [
        "leafkept/tests/core.py",
        "leafkept/_vendor/six.py",
        "leafkept/conftest.py",
        "leafkept/test_core.py",
        "leafkept/fast.so",
        "../../bin/x.py",
    ]
    _install(tmp_path, "rootkept", ["leafkept"])
    _install(tmp_path, "leafkept", files=kept + left)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert [(source.library, source.module) for source in package_sources("rootkept")] == [
        ("leafkept", "leafkept"),
        ("leafkept", "leafkept.part.core"),
    ]


def test_development_tools_are_not_in_the_text():
    libraries = {source.library for source in find_sources()}
    assert {"python", "numpy", "torch", "scikit-learn", "sympy", "networkx"} <= libraries
    assert not {"pytest", "transformers", "mypy", "ruff", "hypothesis", "bertsmith"} & libraries


def test_the_name_of_a_module_comes_from_its_path():
    assert module_name(Path("a/b/__init__.py")) == "a.b"
    assert module_name(Path("a/b.py")) == "a.b"


def test_each_topic_of_the_language_reference_is_a_document_with_a_split_of_its_own():
    sources = [source for source in find_sources() if source.module == TOPICS_MODULE]
    documentation = read_sources(sources, workers=1)
    assert isinstance(documentation, Documentation)
    by_name = {document.name: document for document in documentation.documents}
    assert any("debugging assertions" in sentence for sentence in by_name["assert"].sentences)
    assert len({document.split for document in documentation.documents}) > 1
    assert all(document.kind == "topic" for document in documentation.documents)
    assert all(">>>" not in sentence for document in documentation.documents for sentence in document.sentences)
