import json

import pytest

from bertsmith.messages import Phrase
from bertsmith.records.page import Bar, Bars, Page, Section, from_json, to_json
from bertsmith.records.run import RunRecord
from bertsmith.reports.bars import bars, share, short
from bertsmith.reports.page import report_html

NAME, UNIT = Phrase("name", "名称"), Phrase("MiB", "MiB")
PARTS = (Phrase("weights", "权重"), Phrase("activations", "激活"))


def two(scale):
    return Bars(NAME, PARTS, (Bar(NAME, (300.0, 100.0), UNIT), Bar(NAME, (50.0, 50.0), UNIT)), scale)


def test_each_bar_on_its_own_scale_fills_the_page():
    for bar in bars(two("own")).bars:
        assert sum(piece.width for piece in bar.pieces) == pytest.approx(100)


def test_on_a_common_scale_the_longest_bar_fills_the_page_and_the_others_are_shorter():
    long, short_ = bars(two("common")).bars
    assert [piece.width for piece in long.pieces] == [75, 25]
    assert [piece.width for piece in short_.pieces] == [12.5, 12.5]
    assert [piece.text for piece in short_.pieces] == ["50%", "50%"]  # shares of their own bar


def test_a_part_without_anything_has_no_piece_and_keeps_the_colours_of_the_others():
    (bar,) = bars(Bars(NAME, PARTS, (Bar(NAME, (0.0, 7.0), UNIT),))).bars
    assert [(piece.part, piece.width) for piece in bar.pieces] == [(1, 100)]


def test_a_narrow_piece_carries_no_text():
    (bar,) = bars(Bars(NAME, PARTS, (Bar(NAME, (1.0, 99.0), UNIT),))).bars
    assert [piece.text for piece in bar.pieces] == ["", "99%"]


def test_a_bar_with_nothing_in_it_is_empty():
    (bar,) = bars(Bars(NAME, PARTS, (Bar(NAME, (0.0, 0.0), UNIT),))).bars
    assert (bar.pieces, bar.total) == ((), "–")


def test_the_legend_tells_value_and_share_of_every_part_in_every_bar():
    weights, activations = bars(two("own")).legend
    assert weights == (PARTS[0], (("300", "75.0%"), ("50", "50.0%")))
    assert activations == (PARTS[1], (("100", "25.0%"), ("50", "50.0%")))


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "–"), (0.052, "0.05"), (7, "7"), (99.96, "100"), (1234, "1,234"), (110_106_428, "110M"), (2.23e12, "2.23T")],
)
def test_numbers_have_three_digits(value, text):
    assert short(value) == text


@pytest.mark.parametrize(("value", "text"), [(0, ""), (1e-5, "<0.1%"), (0.5, "50.0%")])
def test_rounding_never_hides_a_share(value, text):
    assert share(value, 1) == text


def test_bars_are_on_the_page_in_both_languages_and_go_to_json_and_back():
    page = Page(NAME, NAME, (Section(NAME, (two("common"),)),))
    html = report_html(page, RunRecord("config estimate", {}, started="2026-03-04T05:06:07+00:00"), language="zh")
    assert html.count('class="bar"') == 2
    assert 'class="piece-1" style="width:25.0%">25%<' in html
    assert "权重" in html and "weights" in html
    assert from_json(json.loads(json.dumps(to_json(page)))) == page
