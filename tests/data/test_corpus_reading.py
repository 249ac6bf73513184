import json
import lzma
import os
from pathlib import Path

import pytest

from bertsmith.data import corpus
from bertsmith.data.corpus import HELD_OUT, TRAIN, Document, assign_split, open_corpus, read_corpus
from bertsmith.data.repeated_lines import RepeatedLines
from bertsmith.errors import DataError
from bertsmith.text.settings import CorpusSettings

TWO_DOCUMENTS = "First of one.\nSecond of one.\n\nFirst of two.\n\n\nFirst of three.\nSecond of three.\n"
CHINESE = "今天天气很好，我们去公园。\n他说：“好的，我们一起走。”\n\n第二篇文章在这里开始了。\n这是它的第二句话。\n"


def read(path, **settings):
    return [document.sentences for document in read_corpus(CorpusSettings(corpus=path, **settings))]


def write(folder, name, content):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def codes(path, **settings):
    with pytest.raises(DataError) as caught:
        open_corpus(CorpusSettings(corpus=path, **settings))
    return [caught.value.code, *(fault.code for fault in caught.value.also)], caught.value


def notes(path, **settings):
    events = []
    list(read_corpus(CorpusSettings(corpus=path, **settings), events.append))
    return {event.code: event.values for event in events if hasattr(event, "code")}


def test_blank_lines_end_documents_in_googles_form(tmp_path):
    assert read(write(tmp_path, "a.txt", TWO_DOCUMENTS)) == [
        ("First of one.", "Second of one."),
        ("First of two.",),
        ("First of three.", "Second of three."),
    ]


def test_windows_line_ends_and_a_mark_change_nothing(tmp_path):
    plain = read(write(tmp_path, "a.txt", TWO_DOCUMENTS))
    assert read(write(tmp_path, "b.txt", b"\xef\xbb\xbf" + TWO_DOCUMENTS.replace("\n", "\r\n").encode())) == plain


def test_wrapped_lines_are_joined_before_sentences_are_cut(tmp_path):
    path = write(tmp_path, "a.txt", "The old man\nlooked up. He was half-\nway there.\n\nThen he\nslept.\n")
    assert read(path, lines="wrapped", documents="file") == [
        ("The old man looked up.", "He was half-way there.", "Then he slept.")
    ]


def test_wrapped_chinese_lines_are_joined_without_a_blank(tmp_path):
    path = write(tmp_path, "a.txt", "今天天气很\n好，我们去\n公园。用BERT\n模型。\n　　第二段从\n这里开始。\n")
    assert read(path, lines="wrapped", documents="file") == [
        ("今天天气很好，我们去公园。", "用BERT 模型。", "第二段从这里开始。")
    ]


def test_an_encyclopedia_is_cut_at_its_titles_and_headings_lose_their_marks(tmp_path):
    path = write(tmp_path, "a.txt", "= One =\nIt is. It was.\n\n = = Part = = \nMore. Yes.\n= Two =\nEnd.\n")
    assert read(path, lines="paragraph") == [("One", "It is.", "It was.", "Part", "More.", "Yes."), ("Two", "End.")]


def test_a_line_can_be_a_document_and_a_file_can_be_one(tmp_path):
    path = write(tmp_path, "a.txt", "A is. B is.\nC is. D is.\n")
    assert read(path, documents="line", lines="paragraph") == [("A is.", "B is."), ("C is.", "D is.")]
    assert read(path, documents="file", lines="paragraph") == [("A is.", "B is.", "C is.", "D is.")]


def test_json_lines_hold_a_document_each_with_paragraphs_in_it(tmp_path):
    lines = [{"text": "A is. B is.\nC is.", "id": 1}, {"text": "  "}, {"text": "很好。走吧。\ud800"}]
    path = write(tmp_path, "a.jsonl", "\n".join(map(json.dumps, lines)))
    assert read(path) == [("A is.", "B is.", "C is."), ("很好。", "走吧。\ufffd")]


def test_another_field_can_be_named_and_a_file_without_a_suffix_is_looked_into(tmp_path):
    path = write(tmp_path, "wiki_00", json.dumps({"body": "A is."}) + "\n")
    assert read(path, text_field="body") == [("A is.",)]


def test_bad_json_lines_are_all_told_with_their_lines(tmp_path):
    path = write(tmp_path, "a.jsonl", '{"text": "fine"}\n{"text": \n\n{"words": "x"}\n{"text": 5}\n[1]\n')
    found, fault = codes(path)
    assert found == ["json-line", "json-field", "json-field", "json-field"]
    assert [error.where for error in (fault, *fault.also)] == [f"{path}:{line}" for line in (2, 4, 5, 6)]
    assert "words" in fault.text("zh")


def test_a_folder_is_read_in_the_order_of_its_names_without_hidden_and_other_files(tmp_path):
    for name in ("b/2.txt", "a.md", "b/10.TXT", ".hidden.txt", ".git/x.txt", "image.png", "c"):
        write(tmp_path, name, f"This is {name}.\n")
    assert [sentences[0] for sentences in read(tmp_path)] == [
        "This is a.md.",
        "This is b/10.TXT.",
        "This is b/2.txt.",
        "This is c.",
    ]
    assert notes(tmp_path)["files-skipped"] == {"count": 1, "kinds": ".png"}


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "utf-8-sig"])
def test_other_encodings_are_found_and_said(tmp_path, encoding):
    path = write(tmp_path, "a.txt", CHINESE.encode(encoding))
    assert len(read(path)) == 2
    assert read(path)[0][0] == "今天天气很好，我们去公园。"
    assert ("corpus-encoding" in notes(path)) == (encoding != "utf-8-sig")


def test_an_encoding_guessed_by_a_few_bytes_is_warned_of_with_their_number_and_the_flag(tmp_path):
    path = write(tmp_path, "a.txt", b"Plain words here.\n" * 100 + b"A stray \xcf\xe0 here.\n")
    events = []
    open_corpus(CorpusSettings(corpus=path), events.append)
    (warned,) = [event for event in events if getattr(event, "warning", False)]
    assert "by the 2 of their 1,817 bytes" in warned.text()
    assert all("--encoding" in warned.text(language) for language in ("en", "zh"))
    assert not any(getattr(event, "code", "") == "corpus-encoding" for event in events)
    events.clear()
    open_corpus(CorpusSettings(corpus=path, encoding="cp1251"), events.append)
    assert not any(getattr(event, "warning", False) for event in events)


def test_gbk_behind_a_megabyte_of_ascii_is_found_too(tmp_path):
    path = write(tmp_path, "a.txt", b"Plain words here.\n" * 70_000 + b"\n" + (CHINESE * 20).encode("gbk"))
    assert open_corpus(CorpusSettings(corpus=path)).files[0].encoding == "gb18030"


def test_an_encoding_can_be_named_and_a_wrong_name_is_an_error(tmp_path):
    path = write(tmp_path, "a.txt", "Grüße aus Köln.\n".encode("latin-1"))
    assert read(path, encoding="latin-1") == [("Grüße aus Köln.",)]
    assert codes(path, encoding="klingon")[0] == ["no-such-encoding"]


def test_undecodable_bytes_and_binary_files_are_told_together_with_their_places(tmp_path):
    broken = write(tmp_path, "a.txt", ("好的，没问题。\n" * 1000).encode() + b"bad \xff here\n" + "再来一句。\n".encode())
    write(tmp_path, "b.txt", b"\x89PNG\x00\x00")
    write(tmp_path, "c.txt", "Fine.\n")
    found, fault = codes(tmp_path)
    assert found == ["undecodable-bytes", "binary-file"]
    assert fault.where == f"{broken}:1001"
    assert fault.values["offset"] == 22_004


def test_a_character_cut_off_at_the_end_is_told(tmp_path):
    path = write(tmp_path, "a.txt", ("好的，没问题。\n" * 10).encode() + "好".encode()[:2])
    assert codes(path)[1].values["offset"] == 220


@pytest.mark.parametrize("content", [b"", b" \n\n\t\n", b"\xef\xbb\xbf\n"])
def test_an_empty_corpus_is_one_clear_error(tmp_path, content):
    assert codes(write(tmp_path, "a.txt", content))[0] == ["empty-corpus"]


def test_a_missing_corpus_and_a_folder_without_text_are_errors(tmp_path):
    assert codes(tmp_path / "absent")[0] == ["no-corpus"]
    write(tmp_path, "image.png", b"x")
    assert codes(tmp_path)[0] == ["no-text-files"]


def test_json_lines_without_any_text_are_an_error_when_read(tmp_path):
    with pytest.raises(DataError, match="empty-corpus"):
        read(write(tmp_path, "a.jsonl", '{"text": ""}\n'))


def test_thousands_of_like_files_give_one_note(tmp_path):
    for i in range(30):
        write(tmp_path, f"{i:02}.txt", f"It is number {i}. It is small.\nAnother line. It ends.\n")
    events = []
    open_corpus(CorpusSettings(corpus=tmp_path), events.append)
    assert [event.values["count"] for event in events if getattr(event, "code", "") == "corpus-shape"] == [30]


def test_a_very_long_document_is_cut_at_sentences_and_nothing_is_lost(tmp_path, monkeypatch):
    monkeypatch.setattr(corpus, "LONGEST", 100)
    sentences = [f"This is sentence {i} of it." for i in range(50)]
    path = write(tmp_path, "a.txt", " ".join(sentences))
    documents = read(path, documents="file", lines="paragraph")
    assert [s for document in documents for s in document] == sentences
    assert max(sum(map(len, document)) for document in documents) <= 100
    assert notes(path, documents="file", lines="paragraph")["documents-cut"]["cut"] == len(documents) - 1


def test_the_hash_of_a_corpus_follows_content_and_names(tmp_path):
    def hashed():
        return open_corpus(CorpusSettings(corpus=tmp_path)).sha256

    path = write(tmp_path, "a.txt", "One.\n")
    first = hashed()
    assert hashed() == first
    write(tmp_path, "a.txt", "Two.\n")
    second = hashed()
    path.rename(tmp_path / "b.txt")
    assert len({first, second, hashed()}) == 3


def test_the_held_out_share_depends_on_the_number_of_a_document_alone():
    documents = [Document((str(i),), "a") for i in range(20_000)]
    split = [document.split for document in assign_split(documents, 0.1, 7)]
    assert split == [document.split for document in assign_split(iter(documents[:20_000]), 0.1, 7)]
    assert split != [document.split for document in assign_split(documents, 0.1, 8)]
    assert abs(split.count(HELD_OUT) - 2000) < 150


def test_at_least_one_document_stays_for_training():
    for seed in range(20):
        assert next(iter(assign_split([Document(("a",), "a")], 0.5, seed))).split == TRAIN


def test_repeated_sentences_are_counted_when_kept_and_dropped_when_asked():
    documents = [Document(("A.", "B.", "A."), "x"), Document(("B.", "A."), "x"), Document(("C.", "B."), "x")]
    for how, expected in (("keep", [d.sentences for d in documents]), ("drop", [("A.", "B."), ("C.",)])):
        repeats = RepeatedLines()
        assert [document.sentences for document in repeats.drop_repeats(documents, how)] == expected
        assert (repeats.sentences, repeats.repeats) == (7, 4)


@pytest.mark.parametrize(
    ("name", "documents"),
    [("zh/corpus/wiki_zh_small/wiki_hant.txt.xz", 761), ("en/corpus/wikitext2/valid.txt.xz", 60)],
)
def test_real_corpora_come_out_with_their_documents(tmp_path, name, documents):
    root = os.environ.get("BERTSMITH_DATA")
    if not root or not (Path(root) / name).is_file():
        pytest.skip("set BERTSMITH_DATA to the folder of the corpora")
    assert len(read(write(tmp_path, "a.txt", lzma.decompress((Path(root) / name).read_bytes())))) == documents
