import json

import pytest

from bertsmith.data.settings import TableSettings
from bertsmith.data.tables import read_table, read_text_lines, write_rows
from bertsmith.errors import DataError
from bertsmith.messages import zh_tables
from bertsmith.progress import Note

ANY = TableSettings()


def read(tmp_path, content, name="data.csv", settings=ANY, listen=lambda event: None):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(path, settings, listen)


def fault(tmp_path, content, name="data.csv", settings=ANY):
    with pytest.raises(DataError) as caught:
        read(tmp_path, content, name, settings)
    return caught.value


@pytest.mark.parametrize("encoding", ["gbk", "gb18030", "utf-8", "utf-8-sig", "utf-16"])
def test_a_tiny_chinese_table_is_read_in_any_usual_encoding(tmp_path, encoding):
    table = read(tmp_path, "评论,情感\r\n很好,正面\r\n不好,负面\r\n".encode(encoding))
    assert table.columns == ("评论", "情感")
    assert table.rows == [("很好", "正面"), ("不好", "负面")]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("big5", "評論,情感\n這間酒店環境和服務態度亦算不錯但房間空間太小,好\n不宜容納太大件行李,差\n"),
        ("euc-kr", "텍스트,라벨\n이 영화는 정말 재미있었습니다,긍정\n별로였어요 다시는 안 볼래요,부정\n"),
        ("cp1252", "text,label\nLe café était très agréable,a\nune idée naïve,b\n"),
        ("cp1251", "текст,метка\nСъешь же ещё этих мягких французских булок,да\nБыстрая лиса прыгает,нет\n"),
    ],
)
def test_other_encodings_are_not_taken_for_chinese(tmp_path, encoding, text):
    table = read(tmp_path, text.encode(encoding))
    assert [list(table.columns), *map(list, table.rows)] == [line.split(",") for line in text.splitlines()]


@pytest.mark.parametrize(("separator", "mark"), [("comma", ","), ("tab", "\t"), ("semicolon", ";"), ("pipe", "|")])
def test_the_separator_is_found_in_the_content_whatever_the_name(tmp_path, separator, mark):
    table = read(tmp_path, f"text{mark}label\nwell, a fine one{mark}1\n".replace("well,", "well" if mark == "," else "well,"))
    assert table.separator == separator
    assert table.columns == ("text", "label")


def test_a_separator_can_be_set(tmp_path):
    table = read(tmp_path, "a|b,c\nx|y,z\n", settings=TableSettings(separator="pipe"))
    assert table.columns == ("a", "b,c")


def test_rows_keep_the_line_they_begin_on_past_quoted_line_ends_and_blank_lines(tmp_path):
    table = read(tmp_path, 'text,label\n"two\nlines",a\n\nnext,b\n')
    assert table.rows == [("two\nlines", "a"), ("next", "b")]
    assert table.lines == [2, 5]


def test_lone_quotes_of_a_tab_separated_file_are_plain_characters_and_that_is_said(tmp_path):
    heard = []
    content = 'sentence\tlabel\n"an open quote\t1\n"another\t0\n5" pipes\t1\n'
    table = read(tmp_path, content, "data.tsv", listen=heard.append)
    assert [row[0] for row in table.rows] == ['"an open quote', '"another', '5" pipes']
    assert "quotes-plain" in [event.code for event in heard if isinstance(event, Note)]


def test_lone_quotes_that_happen_to_pair_up_swallow_no_rows(tmp_path):
    table = read(tmp_path, 'label\tsentence\n1\t"open\n0\tmiddle\n1\tclosed"\n0\tlast\n', "data.tsv")
    assert len(table.rows) == 4


def test_clean_quoting_of_a_tab_separated_file_is_honoured(tmp_path):
    table = read(tmp_path, 'text\tlabel\n"a\tb ""c"""\t1\n', "data.tsv")
    assert table.rows == [('a\tb "c"', "1")]
    assert table.quoted


def test_blanks_around_column_names_are_taken_off_and_said(tmp_path):
    heard = []
    table = read(tmp_path, "text , label\nx,y\n", listen=heard.append)
    assert table.columns == ("text", "label")
    assert any(event.code == "header-blanks" for event in heard)


def test_a_long_field_is_read_and_the_limit_of_the_csv_module_stays(tmp_path):
    import csv

    before = csv.field_size_limit()
    table = read(tmp_path, "text,label\n" + "x" * 200_000 + ",1\n")
    assert len(table.rows[0][0]) == 200_000
    assert csv.field_size_limit() == before


def test_json_lines_are_known_by_their_content_and_keep_missing_values_empty(tmp_path):
    table = read(tmp_path, '{"text": "好", "label": 1}\n\n{"label": true, "more": null}\n', "data.txt")
    assert table.columns == ("text", "label", "more")
    assert table.rows == [("好", "1", ""), ("", "true", "")]
    assert table.lines == [1, 3]


def test_all_ragged_rows_are_told_at_once_with_line_and_widths(tmp_path):
    error = fault(tmp_path, "text,label\na,b,c\nok,1\nd\n")
    assert [(f.where.rsplit(":", 1)[1], f.values) for f in (error, *error.also)] == [
        ("2", {"found": 3, "expected": 2}),
        ("4", {"found": 1, "expected": 2}),
    ]
    assert error.code == "ragged-row"
    assert error.exit_code == 3


def test_many_faults_are_ten_lines_and_a_count(tmp_path):
    error = fault(tmp_path, "text,label\n" + "a,b,c\n" * 50)
    assert len(error.also) == 10
    assert error.also[-1].values == {"count": 40}


def test_an_unclosed_quote_is_told_at_the_line_where_its_row_begins(tmp_path):
    error = fault(tmp_path, 'text,label\nok,1\n"never closed,2\nx,3\n')
    assert error.code == "bad-quotes"
    assert error.where.endswith(":3")


def test_bad_json_lines_are_all_told(tmp_path):
    error = fault(tmp_path, '{"text": "a"}\n{"text": \n[1]\n', "data.jsonl")
    assert [f.where.rsplit(":", 1)[1] for f in (error, *error.also)] == ["2", "3"]


def test_undecodable_bytes_are_told_with_offset_and_line_of_each(tmp_path):
    lines = ["评论,情感", *["这家酒店很好,1"] * 8]
    content = "\n".join(lines).encode()
    second = content.index(b"\n") + 1
    broken = content[:second] + b"\xff" + content[second:] + b"\xfe\n"
    error = fault(tmp_path, broken)
    assert error.code == "undecodable-bytes"
    assert error.values["offset"] == second
    assert [f.where.rsplit(":", 1)[1] for f in (error, *error.also)] == ["2", "9"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty-table"),
        (b"\xef\xbb\xbf \n", "empty-table"),
        ("text,label\n", "no-rows"),
        ("text,text\na,b\n", "duplicate-columns"),
        ("a film,1\nanother,1\na third,1\n", "no-header"),
        ("3,4\n1,2\n5,6\n", "no-header"),
        (b"text,label\na\0b,1\n", "nul-bytes"),
        (b"PK\x03\x04rest", "binary-table"),
        ('[{"text": "a"},\n {"text": "b"}]', "json-list"),
        (bytes(range(1, 256)) * 9, "unknown-encoding"),
    ],
)
def test_a_file_that_is_no_table_is_one_clear_error(tmp_path, content, code):
    assert fault(tmp_path, content).code == code


def test_a_missing_file_and_an_unknown_encoding_are_told(tmp_path):
    with pytest.raises(DataError, match="cannot-read-table"):
        read_table(tmp_path / "absent.csv", ANY)
    assert fault(tmp_path, "a,b\n1,2\n", settings=TableSettings(encoding="utf8000")).code == "no-such-encoding"


def test_a_named_encoding_is_used(tmp_path):
    table = read(tmp_path, "text,label\nÄ,1\n".encode("cp437"), settings=TableSettings(encoding="cp437"))
    assert table.rows == [("Ä", "1")]


def test_rows_are_written_with_all_columns_and_read_back_the_same(tmp_path):
    table = read(tmp_path, 'id;text;label\n1;"a;b\nc";x\n2;"say ""d""";y\n')
    names = write_rows(table, tmp_path / "out.csv", {"predicted_label": ["x", "x"], "probability": [0.12345678, 1.0]})
    again = read_table(tmp_path / "out.csv", ANY)
    assert names == ("predicted_label", "probability")
    assert again.columns == ("id", "text", "label", *names)
    assert [row[:3] for row in again.rows] == table.rows
    assert [row[3:] for row in again.rows] == [("x", "0.123457"), ("x", "1.0")]
    assert again.separator == "semicolon"


@pytest.mark.parametrize(("text", "warned"), [("a stray п here", True), ("привет " * 9, False)])
def test_an_encoding_guessed_by_a_few_bytes_is_warned_of_unless_it_is_named(tmp_path, text, warned):
    heard = []
    content = f"text,label\n{text},a\nplain words,b\n".encode("cp1251")
    read(tmp_path, content, listen=heard.append)
    assert {event.code for event in heard if event.warning} == ({"encoding-guessed"} if warned else set())
    heard.clear()
    read(tmp_path, content, settings=TableSettings(encoding="cp1251"), listen=heard.append)
    assert not any(event.warning for event in heard)


def test_names_of_columns_are_told_in_quotes(tmp_path):
    heard = []
    read(tmp_path, "my text,label\na,b\n", listen=heard.append)
    assert "columns 'my text', 'label';" in heard[0].text()
    assert "列 'my text', 'label'；" in heard[0].text("zh")


@pytest.mark.parametrize(("encoding", "marked"), [("utf-8", False), ("utf-8-sig", True), ("gbk", True)])
def test_written_tables_are_utf8_with_a_mark_where_spreadsheets_need_one(tmp_path, encoding, marked):
    table = read(tmp_path, "评论,情感\n很好,1\n不好,0\n".encode(encoding))
    write_rows(table, tmp_path / "out.csv", {"p": ["1", "0"]})
    data = (tmp_path / "out.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf") == marked
    assert data.decode("utf-8-sig") == "评论,情感,p\n很好,1,1\n不好,0,0\n"


def test_plain_quotes_are_written_as_they_stood(tmp_path):
    content = 'text\tlabel\n"open\t1\nsay "x" now\t0\n'
    table = read(tmp_path, content, "data.tsv")
    write_rows(table, tmp_path / "out.tsv", {"p": ["a", "b"]})
    assert (tmp_path / "out.tsv").read_text() == 'text\tlabel\tp\n"open\t1\ta\nsay "x" now\t0\tb\n'


def test_a_new_column_never_hides_an_old_one(tmp_path):
    table = read(tmp_path, "text,probability\na,b\n")
    assert write_rows(table, tmp_path / "out.csv", {"probability": [0.5]}) == ("probability_2",)


def test_json_lines_are_written_as_json_lines_with_their_own_values(tmp_path):
    table = read(tmp_path, '{"text": "好", "label": 1, "more": [1]}\n', "data.jsonl")
    write_rows(table, tmp_path / "out.jsonl", {"probability": [0.5]})
    written = json.loads((tmp_path / "out.jsonl").read_text(encoding="utf-8"))
    assert written == {"text": "好", "label": 1, "more": [1], "probability": 0.5}


def test_a_text_a_line_is_a_table_of_one_column(tmp_path):
    path = tmp_path / "texts.txt"
    path.write_bytes("first, with a comma\r\n\r\n第二\u2028行\n".encode())
    table = read_text_lines(path, ANY)
    assert table.rows == [("first, with a comma",), ("第二\u2028行",)]
    assert table.lines == [1, 3]


def test_errors_and_notes_read_in_chinese(tmp_path, monkeypatch):
    monkeypatch.setattr("bertsmith.messages.ERRORS", zh_tables.ERRORS)
    error = fault(tmp_path, "评论,情感\n好,1,2\n")
    assert "该行有 3 个字段，表头有 2 个" in error.text("zh")
