"""Compressed files, parquet, and what WikiExtractor writes: the same documents as from plain text."""

import bz2
import gzip
import json
import lzma
import resource
import subprocess
import sys

import pytest

from bertsmith.data.corpus import Position, open_corpus, read_corpus
from bertsmith.data.corpus_files import Content
from bertsmith.errors import DataError, MachineError
from bertsmith.text.settings import CorpusSettings

TEXT = "First of one.\nSecond of one.\n\nFirst of two.\n\n\nFirst of three.\nSecond of three.\n"
CHINESE = "今天天气很好，我们去公园。\n他说：“好的，我们一起走。”\n\n第二篇文章在这里开始了。\n这是它的第二句话。\n"
EXTRACTED = """<doc id="12" url="https://en.wikipedia.org/wiki?curid=12" title="Lion">
Lion

The lion is a cat &amp; large. It lives in Africa.
Its mane is dark.

</doc>
<doc id="13" url="https://en.wikipedia.org/wiki?curid=13" title="Tiger">
Tiger

The tiger is striped. A &lt; b holds.
</doc>
"""


def packers():
    zstd = pytest.importorskip("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
    return {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstd.compress}


def read(path, **settings):
    return [document.sentences for document in read_corpus(CorpusSettings(corpus=path, **settings))]


def fault(path, **settings):
    with pytest.raises(DataError) as caught:
        open_corpus(CorpusSettings(corpus=path, **settings))
    return caught.value


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst"])
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_a_compressed_file_gives_the_documents_of_the_plain_one_in_any_encoding(tmp_path, suffix, encoding):
    plain = write(tmp_path / "a.txt", CHINESE.encode(encoding))
    packed = write(tmp_path / f"b.txt{suffix}", packers()[suffix](plain.read_bytes()))
    assert read(packed) == read(plain)
    (file,) = open_corpus(CorpusSettings(corpus=packed)).files
    assert (file.size, file.encoding) == (plain.stat().st_size, encoding)


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst"])
def test_compressed_files_put_behind_each_other_are_read_to_the_end(tmp_path, suffix):
    pack = packers()[suffix]
    assert read(write(tmp_path / f"a.txt{suffix}", pack(b"One.\n\n") + pack(b"Two.\n\nThree.\n")), documents="line") == [
        ("One.",),
        ("Two.",),
        ("Three.",),
    ]


def test_the_hash_is_that_of_the_file_as_it_lies_on_the_disk(tmp_path):
    import hashlib

    path = write(tmp_path / "a.txt.xz", lzma.compress(TEXT.encode()))
    assert open_corpus(CorpusSettings(corpus=path)).files[0].sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst"])
def test_a_compressed_file_that_is_cut_off_or_none_at_all_is_one_error_that_names_it(tmp_path, suffix):
    whole = packers()[suffix](TEXT.encode() * 2000)
    for number, content in enumerate((whole[:-9], whole[: len(whole) // 2], b"no such thing")):
        path = write(tmp_path / f"{number}.txt{suffix}", content)
        found = fault(path)
        assert (found.code, found.where, found.also) == ("damaged-archive", str(path), ())


def test_an_xz_file_that_asks_for_gigabytes_of_memory_is_an_error(tmp_path):
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 1, "dict_size": 2**30}]
    assert fault(write(tmp_path / "a.txt.xz", lzma.compress(b"One.\n", filters=filters))).code == "damaged-archive"


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of memory is the kernel's")
@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst"])
def test_a_bomb_does_not_fill_the_memory(tmp_path, suffix):
    pack = packers()[suffix]
    path = tmp_path / f"a.txt{suffix}"
    path.write_bytes(pack(b"a" * 2**26) * 8)  # 512 MiB in a single line
    program = (
        "import sys; from pathlib import Path; from bertsmith.data.corpus import read_corpus;"
        "from bertsmith.text.settings import CorpusSettings;"
        "print(sum(len(d.sentences) for d in read_corpus(CorpusSettings(corpus=Path(sys.argv[1]), documents='file', lines='sentence'))))"
    )

    def limit():
        resource.setrlimit(resource.RLIMIT_DATA, (2**29, 2**29))

    run = subprocess.run([sys.executable, "-c", program, str(path)], preexec_fn=limit, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-500:]
    assert int(run.stdout) == 2**29 // 10**6 + 1


def test_a_folder_of_compressed_files_is_read_by_the_names_inside(tmp_path):
    write(tmp_path / "a.txt.gz", gzip.compress(b"A is.\n"))
    write(tmp_path / "AA" / "wiki_00.bz2", bz2.compress(b"B is.\n"))
    write(tmp_path / "c.jsonl.xz", lzma.compress(json.dumps({"text": "C is."}).encode()))
    write(tmp_path / "d.tar.gz", gzip.compress(b"not text by its name"))
    assert read(tmp_path) == [("B is.",), ("A is.",), ("C is.",)]


def parquet(path, columns, rows_of_a_group=2):
    pyarrow = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    pq.write_table(pyarrow.table(columns), path, row_group_size=rows_of_a_group)
    return path


def test_each_row_of_a_parquet_file_is_a_document(tmp_path):
    rows = ["A is. B is.\nC is.", None, "", "很好。走吧。", "D is. E is. F is."]
    path = parquet(tmp_path / "a.parquet", {"id": list(range(5)), "body": rows})
    assert read(path, text_field="body") == [("A is.", "B is.", "C is."), ("很好。", "走吧。"), ("D is.", "E is.", "F is.")]
    assert open_corpus(CorpusSettings(corpus=tmp_path, text_field="body")).files[0].content is Content.PARQUET


def test_a_parquet_file_without_the_column_tells_its_columns(tmp_path):
    found = fault(parquet(tmp_path / "a.parquet", {"id": [1], "body": ["A."]}))
    assert (found.code, found.values["columns"]) == ("parquet-column", "id, body")
    assert fault(tmp_path / "a.parquet", text_field="id").code == "parquet-column"


def test_a_damaged_parquet_file_is_one_error_that_names_it(tmp_path):
    path = parquet(tmp_path / "a.parquet", {"text": ["A is."] * 2000})
    path.write_bytes(path.read_bytes()[:-20])
    assert (fault(path).code, fault(path).where) == ("parquet-damaged", str(path))


def test_parquet_without_its_package_says_which_extra_brings_it(tmp_path, monkeypatch):
    path = write(tmp_path / "a.parquet", b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MachineError, match=r"bertsmith\[parquet\]"):
        open_corpus(CorpusSettings(corpus=path))


def test_what_wikiextractor_writes_is_cut_at_its_marks(tmp_path):
    expected = [
        ("Lion", "The lion is a cat & large.", "It lives in Africa.", "Its mane is dark."),
        ("Tiger", "The tiger is striped.", "A < b holds."),
    ]
    assert read(write(tmp_path / "AA" / "wiki_00", EXTRACTED)) == expected
    assert read(write(tmp_path / "wiki_01.bz2", bz2.compress(EXTRACTED.encode()))) == expected


def test_wikiextractors_json_form_is_read_too(tmp_path):
    lines = [{"id": "12", "url": "u", "title": "Lion", "text": "The lion is a cat. It is large."}]
    assert read(write(tmp_path / "wiki_00", json.dumps(lines[0]) + "\n")) == [("The lion is a cat.", "It is large.")]


def test_a_json_line_without_an_end_is_an_error_before_it_fills_the_memory(tmp_path, monkeypatch):
    from bertsmith.data import corpus_json

    monkeypatch.setattr(corpus_json, "LONGEST_LINE", 1000)
    path = write(tmp_path / "a.jsonl", json.dumps({"text": "x" * 2000}))
    assert fault(path).code == "json-line-long"


def test_raw_documents_go_on_from_any_position(tmp_path, monkeypatch):
    from bertsmith.data import corpus as corpus_module

    monkeypatch.setattr(corpus_module, "PART", 5)
    write(tmp_path / "a.txt", TEXT)
    write(tmp_path / "b.txt", TEXT)
    corpus = open_corpus(CorpusSettings(corpus=tmp_path))
    every = list(corpus.raw_documents())
    assert len({position for _, position in every}) == len(every) > 6
    for number, (_, position) in enumerate(every):
        assert list(corpus.raw_documents(Position(*position))) == every[number + 1 :]
