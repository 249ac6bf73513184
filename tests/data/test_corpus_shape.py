import re
import textwrap

import pytest

from bertsmith.data.corpus_shape import Place, Shape, infer_shape

SENTENCES = [
    "It was the best of times, it was the worst of times.",
    "The old man looked at the sea for a very long while, and then he turned his boat towards the harbour.",
    "Nobody spoke.",
    "A cold wind came down from the hills and shook the shutters of the houses along the narrow street.",
    "She had never seen so many people in one place before!",
    "Was it the end of the road, or only another bend in it?",
]
PARAGRAPHS = [" ".join(SENTENCES[i % 6 :] + SENTENCES[: i % 6]) for i in range(40)]
CHINESE = (
    "今天天气很好，我们决定去公园散步。公园里有许多老人和孩子，他们都很开心！你要不要也来看看？我想你一定会喜欢这里的风景。"
)
ALONE, MANY, BIG = Place(20_000, 1), Place(20_000, 50), Place(50_000_000, 50)


def wrapped(paragraphs, between=1, indent=""):
    return [line for p in paragraphs for line in [*textwrap.wrap(p, 70, initial_indent=indent), *[""] * between]]


def in_blocks(blocks):
    return [line for block in blocks for line in [*block, ""]]


def test_a_hard_wrapped_novel_is_a_document_with_lines_to_join():
    front = ["THE NOVEL", "", "by Somebody", "", "Chapter 1", ""]
    assert infer_shape([*front, *wrapped(PARAGRAPHS)], ALONE) == Shape("file", "wrapped")


def test_a_novel_whose_paragraphs_are_told_by_their_indent_is_one_too():
    assert infer_shape(wrapped(PARAGRAPHS, between=0, indent="    "), ALONE) == Shape("file", "wrapped")


def test_a_hard_wrapped_chinese_text_is_told_by_width_as_well():
    text = "　　" + CHINESE * 3
    lines = [text[i : i + 35] for i in range(0, len(text), 35)]
    assert infer_shape([*lines, ""] * 6, ALONE) == Shape("file", "wrapped")


def test_a_sentence_a_line_with_blank_lines_between_documents_is_googles_form():
    assert infer_shape(in_blocks([SENTENCES] * 20), ALONE) == Shape("blank-line", "sentence")
    chinese = re.findall("[^。！？]+[。！？]", CHINESE)
    assert infer_shape(in_blocks([chinese] * 20), ALONE) == Shape("blank-line", "sentence")


def test_title_lines_tell_an_encyclopedia_with_or_without_blank_lines_around_its_headings():
    articles = [["= Oviraptor =", *PARAGRAPHS[:4]], ["= Bench language =", *PARAGRAPHS[4:7]]] * 5
    assert infer_shape(in_blocks(articles), ALONE) == Shape("title", "paragraph")
    spaced = [" ", " = Homarus gammarus = ", " ", PARAGRAPHS[0], " ", " = = Description = = ", " ", *PARAGRAPHS[1:4]] * 4
    assert infer_shape(spaced, ALONE) == Shape("title", "paragraph")


def test_paragraphs_with_several_lines_between_blank_lines_are_documents():
    assert infer_shape(in_blocks([PARAGRAPHS[:3]] * 10), MANY) == Shape("blank-line", "paragraph")


def test_a_lone_or_large_file_of_long_lines_holds_a_document_a_line():
    assert infer_shape(PARAGRAPHS, ALONE) == Shape("line", "paragraph")
    assert infer_shape(PARAGRAPHS, BIG) == Shape("line", "paragraph")


def test_one_of_many_small_files_of_long_lines_is_itself_the_document():
    assert infer_shape(PARAGRAPHS, MANY) == Shape("file", "paragraph")
    assert infer_shape(in_blocks([[p] for p in PARAGRAPHS]), MANY) == Shape("file", "paragraph")


def test_sentences_a_line_without_any_blank_line_are_one_document():
    assert infer_shape(SENTENCES * 10, ALONE) == Shape("file", "sentence")


@pytest.mark.parametrize("documents", ["file", "title", "blank-line", "line"])
@pytest.mark.parametrize("lines", ["sentence", "paragraph", "wrapped"])
def test_what_a_person_says_holds(documents, lines):
    assert infer_shape(PARAGRAPHS, ALONE, documents, lines) == Shape(documents, lines)
    assert infer_shape(PARAGRAPHS, ALONE, documents).documents == documents
    assert infer_shape(PARAGRAPHS, ALONE, "auto", lines).lines == lines


def test_an_empty_sample_has_a_shape():
    assert infer_shape([], ALONE).lines == "sentence"
