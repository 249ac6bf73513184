import io
import re

import pytest

from bertsmith.cli.live import LiveDisplay
from bertsmith.cli.progress import LineDisplay, display, stage_name, time_text, value_text
from bertsmith.messages import Phrase
from bertsmith.progress import Advance, Picture, Stage, note, warning


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock():
    return Clock()


def lines_of(stream):
    return stream.getvalue().splitlines()


def test_a_log_gets_a_line_at_the_start_and_the_end_of_a_stage(clock):
    stream = io.StringIO()
    listen = LineDisplay(stream, "en", clock)
    listen(Stage("reading", 3, "files"))
    clock.now = 5.0
    listen(Advance(3, {"documents": 12_000}))
    listen.close()
    assert lines_of(stream) == ["reading …", "reading: 3/3 files, documents 12,000, took 5 s"]


def test_a_log_gets_a_line_every_ten_seconds_with_the_time_left(clock):
    stream = io.StringIO()
    listen = LineDisplay(stream, "en", clock)
    listen(Stage("pretraining", 1000, "steps"))
    for step in range(1, 101):
        clock.now = step * 0.25
        listen(Advance(step))
    assert lines_of(stream)[1:] == [
        "pretraining: 40/1,000 steps, 4 min 0 s left",
        "pretraining: 80/1,000 steps, 3 min 50 s left",
    ]


def test_the_time_left_of_a_resumed_stage_is_judged_by_the_new_steps_alone(clock):
    stream = io.StringIO()
    listen = LineDisplay(stream, "en", clock)
    listen(Stage("pretraining", 1000, "steps"))
    listen(Advance(900))
    clock.now = 10.0
    listen(Advance(910))
    assert lines_of(stream)[-1] == "pretraining: 910/1,000 steps, 1 min 30 s left"


def test_a_new_stage_ends_the_one_before(clock):
    stream = io.StringIO()
    listen = LineDisplay(stream, "en", clock)
    listen(Stage("reading"))
    listen(Stage("encoding"))
    assert lines_of(stream) == ["reading …", "reading: took under 1 s", "encoding …"]


def test_a_warning_is_marked_and_a_note_is_not(clock):
    stream = io.StringIO()
    listen = LineDisplay(stream, "en", clock)
    listen(note("n", "found {n} files", n=2))
    listen(warning("w", "one document only"))
    assert lines_of(stream) == ["found 2 files", "warning: one document only"]


def test_a_stream_that_is_no_terminal_gets_no_control_characters():
    stream = io.StringIO()
    with display(stream, "en") as listen:
        listen(Stage("reading", 2, "files"))
        listen(Advance(2))
    assert "\x1b" not in stream.getvalue()


def test_a_terminal_keeps_a_line_of_each_stage_and_every_note(clock, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    listen = LiveDisplay(stream, "en", clock)
    listen(Stage("pretraining [odd]", 10, "steps"))
    listen(Advance(5, {"mlm_loss": 4.2812}))
    listen(warning("w", "a [bold] warning"))
    clock.now = 7.0
    listen(Advance(10, {"mlm_loss": 3.5}))
    listen.close()
    assert "a [bold] warning" in stream.getvalue()
    assert "pretraining [odd]: 10/10 steps, mlm loss 3.5, took 7 s" in stream.getvalue()


def test_a_narrow_terminal_shows_every_value(clock, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "72")
    stream = Terminal()
    listen = LiveDisplay(stream, "en", clock)
    listen(Stage("pretraining", 10_000, "steps"))
    listen(Advance(1))
    clock.now = 1.0
    listen(
        Advance(50, {"mlm_loss": 4.28, "nsp_loss": 0.69, "mlm_accuracy": 0.31, "nsp_accuracy": 0.78, "tokens_per_second": 15e3})
    )
    listen._bars.refresh()
    shown = " ".join(re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", stream.getvalue()).split())
    listen.close()
    assert "50/10,000 steps 3 min 23 s left" in shown
    assert "mlm accuracy 0.31" in shown and "tokens/s 15,000" in shown and "…" not in shown


def test_a_display_is_closed_after_an_error(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    with pytest.raises(KeyboardInterrupt), display(stream, "en") as listen:
        listen(Stage("reading", 2, "files"))
        raise KeyboardInterrupt
    assert "\x1b[?25h" in stream.getvalue()  # the cursor is shown again


def test_counts_have_their_measure_word_in_chinese(clock):
    stream = io.StringIO()
    listen = LineDisplay(stream, "zh", clock)
    listen(Stage("reading", 3, "files"))
    listen(Advance(3))
    listen.close()
    assert lines_of(stream)[-1] == "读取：3/3 个文件，用时 <1 秒"


def test_a_stage_is_named_in_chinese_and_keeps_its_number():
    assert stage_name("fine-tuning seed 2", "zh") == "微调，种子 2"
    assert stage_name("reading", "zh") == "读取"
    assert stage_name("something new", "zh") == "something new"
    assert stage_name("readings", "zh") == "readings"


def test_values_are_shown_with_as_many_digits_as_a_reader_wants():
    assert value_text("mlm_loss", 4.28123, "en") == "mlm loss 4.281"
    assert value_text("tokens_per_second", 12345.6, "en") == "tokens/s 12,346"
    assert value_text("learning_rate", 0.0005, "zh") == "学习率 0.0005"
    assert value_text("held_out_macro_f1", 0.5, "zh") == "留出宏平均 F1 0.5"
    assert value_text("file", "a.txt", "en") == "file a.txt"


def test_times_are_told_in_two_units():
    assert [time_text(s, "en") for s in (3.2, 200, 7500)] == ["3 s", "3 min 20 s", "2 h 5 min"]
    assert (time_text(0.4, "en"), time_text(0.4, "zh")) == ("under 1 s", "<1 秒")
    assert time_text(200, "zh") == "3 分 20 秒"


def test_a_log_gets_a_picture_at_once_and_then_every_ten_seconds(clock):
    stream = io.StringIO()
    listen = LineDisplay(stream, "zh", clock)
    for second in range(12):
        clock.now = float(second)
        listen(Picture((Phrase(f"run {second}", f"运行 {second}"),)))
    assert lines_of(stream) == ["运行 0", "运行 10"]


def test_a_terminal_shows_the_newest_picture_and_leaves_none_behind():
    stream = Terminal()
    listen = LiveDisplay(stream, "en")
    for number in (1, 2):
        listen(Picture((Phrase(f"picture {number}", "图"), Phrase("below", "下"))))
    shown = len(stream.getvalue())
    listen.close()
    assert "picture 1" in stream.getvalue()[:shown] and "picture 2" in stream.getvalue()[:shown]
    assert "picture" not in stream.getvalue()[shown:]
