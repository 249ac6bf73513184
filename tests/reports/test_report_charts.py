import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertsmith.messages import Phrase
from bertsmith.records.page import Chart, Confusion, Series
from bertsmith.reports.charts import HEIGHT, WIDTH, draw, matrix, thin, ticks

NAME = Phrase("name", "名称")


def chart(*series):
    return Chart(NAME, NAME, NAME, series)


def series(ys, *, dashed=False):
    return Series(NAME, tuple(float(i) for i in range(len(ys))), tuple(ys), dashed)


def test_a_short_series_is_not_thinned():
    short = series([3.0, 2.0, 1.0])
    assert thin(short) is short


@given(st.lists(st.floats(-1e6, 1e6), min_size=21, max_size=90))
def test_thinning_keeps_both_ends_and_the_extremes(ys):
    whole = series(ys)
    thinned = thin(whole, 20)
    assert len(thinned.xs) <= 20
    assert (thinned.xs[0], thinned.xs[-1]) == (whole.xs[0], whole.xs[-1])
    assert (min(thinned.ys), max(thinned.ys)) == (min(ys), max(ys))
    assert set(zip(thinned.xs, thinned.ys)) <= set(zip(whole.xs, whole.ys))
    assert list(thinned.xs) == sorted(thinned.xs)


def test_a_gap_in_a_long_series_survives_thinning():
    ys = [1.0] * 500 + [math.nan] + [1.0] * 500
    assert any(math.isnan(y) for y in thin(series(ys), 100).ys)


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9))
def test_ticks_lie_inside_their_bounds_in_rising_order(low, width):
    found = [tick.at for tick in ticks(low, low + max(width, abs(low) * 1e-6))]
    assert found == sorted(found)
    assert all(-0.01 <= at <= 100.01 for at in found)
    assert 2 <= len(found) <= 7


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (0, 4000, ["0", "1,000", "2,000", "3,000", "4,000"]),
        (0, 5e-4, ["0", "0.0001", "0.0002", "0.0003", "0.0004", "0.0005"]),
        (0, 3e6, ["0", "1M", "2M", "3M"]),
        (0.48, 0.79, ["0.5", "0.6", "0.7"]),
    ],
)
def test_ticks_are_round_numbers(low, high, texts):
    assert [tick.text for tick in ticks(low, high)] == texts


def test_steps_are_never_counted_in_fractions():
    assert [tick.text for tick in draw(chart(series([1.0, 2.0, 3.0]))).x_ticks] == ["0", "1", "2"]


def test_a_line_breaks_where_there_is_no_number():
    (line,) = draw(chart(series([1.0, math.nan, 2.0, 3.0]))).lines
    assert line.path.count("M") == 2
    assert "nan" not in line.path


def test_every_point_lies_inside_the_box():
    (line,) = draw(chart(series([5.0, -3.0, 9.0, 0.5]))).lines
    numbers = [int(number) for number in line.path.replace("M", " ").split()]
    assert all(0 <= x <= WIDTH for x in numbers[::2])
    assert all(0 <= y <= HEIGHT for y in numbers[1::2])


@pytest.mark.parametrize("ys", [[], [math.nan, math.inf]])
def test_a_chart_without_numbers_has_no_lines(ys):
    assert draw(chart(series(ys))).lines == ()


def test_a_single_point_is_drawn_as_a_dot():
    drawing = draw(chart(series([2.0])))
    assert drawing.lines[0].dots.endswith("h0")
    assert drawing.y_ticks


def test_a_baseline_is_dashed_and_shows_its_value():
    line = draw(chart(series([0.5, 0.7]), series([0.5, 0.5], dashed=True))).lines[1]
    assert line.style == "line-1 dashed"
    assert line.constant
    assert line.last == "0.5"


def test_a_chart_says_that_its_lines_are_thinned():
    long = series([1.0, 2.0] * 1000)
    assert draw(chart(long)).thinned
    assert not draw(chart(dataclasses.replace(long, xs=long.xs[:10], ys=long.ys[:10]))).thinned


def test_row_shares_add_up_and_rounding_never_hides_an_example():
    confusion = Confusion(NAME, ("a", "b"), ((999, 1), (0, 0)))
    (_, (right, wrong), total), (_, empty, none) = matrix(confusion).rows
    assert (right.text, wrong.text, total) == (">99", "<1", 1000)
    assert [share.text for share in empty] == ["·", "·"]
    assert none == 0


def test_many_labels_are_numbered_over_the_columns():
    labels = tuple(f"类别{i}" for i in range(30))
    drawing = matrix(Confusion(NAME, labels, tuple((1,) * 30 for _ in labels)))
    assert drawing.heads == tuple(str(i) for i in range(1, 31))
    assert drawing.rows[29][0] == "类别29"
    assert matrix(Confusion(NAME, ("正", "负"), ((1, 2), (3, 4)))).heads == ("正", "负")
