import dataclasses
import json
import re
from html.parser import HTMLParser

import pytest

from bertsmith.errors import RunFolderError
from bertsmith.messages import Phrase
from bertsmith.messages.zh_reports import ERRORS
from bertsmith.records.page import Chart, Confusion, Page, Paragraph, Section, Series, Table, from_json
from bertsmith.records.run import RunFolder, RunRecord, Setting
from bertsmith.records.scores import Score
from bertsmith.reports.page import redraw, report_html, write_report

HASH = "0123456789abcdef" * 4
EVIL = '<script>alert("1")</script>'


def phrase(en, zh):
    return Phrase(en, zh)


def a_record():
    return RunRecord(
        "finetune",
        {
            "steps": Setting(400, "plan"),
            "learning_rate": Setting(5e-4, "flag"),
            "lines": Setting("sentence", "inferred"),
            "precision": Setting("fp32", "measured"),
            "lowercase": Setting(True),
        },
        data={"reviews.csv": HASH},
        versions={"bertsmith": "0.1.0"},
        machine={"system": "Linux", "cores": 2},
        started="2026-03-04T05:06:07+00:00",
    )


def a_page():
    score = Score("accuracy", 0.491, "test", 2731, 3, 0.012, ("majority", 0.143))
    scratch = Score("accuracy", 0.35, "test", 2731, 3, 0.02, ("majority", 0.143))
    table = Table(
        phrase("Scores", "得分"),
        (phrase("system", "系统"), phrase("accuracy", "准确率")),
        ((phrase("pretrained", "预训练"), score), ("TF-IDF", scratch), ("nothing", None)),
        highlight=0,
        caption=phrase("Dev chose.", "开发集选择。"),
    )
    chart = Chart(
        phrase("Loss", "损失"),
        phrase("step", "步数"),
        phrase("nats", "奈特"),
        (
            Series(phrase("held-out", "留出"), (1.0, 2.0, 3.0), (3.0, 2.0, 1.5)),
            Series(phrase("unigram", "一元"), (1.0, 3.0), (2.8, 2.8), dashed=True),
        ),
    )
    confusion = Confusion(phrase("Answers", "回答"), ("正面", EVIL), ((30, 10), (0, 5)))
    return Page(
        phrase("A run", "一次运行"),
        phrase("It worked.", "成功了。"),
        (
            Section(phrase("Result", "结果"), (Paragraph(phrase("Better.", "更好。"), "good"), table)),
            Section(phrase("Curves", "曲线"), (chart, chart)),
            Section(phrase("Errors", "错误"), (confusion, Paragraph(phrase("Cut.", "截断。"), "warning"))),
        ),
    )


def data_block(html):
    return json.loads(re.search(r'<script type="application/json" id="data-block">(.*?)</script>', html, re.S)[1])


class Outline(HTMLParser):
    """Collects ids, tags, attributes and visible text; fails on tags that are not closed."""

    VOID = frozenset({"meta", "link", "input", "path"})

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.starts, self.attributes = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.starts.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def outline(html):
    parser = Outline()
    parser.feed(html)
    assert parser.open == []
    return parser


@pytest.fixture
def html():
    return report_html(a_page(), a_record(), language="en")


def test_every_section_stands_on_the_page_in_order(html):
    titles = [
        "It worked.",
        "Result",
        "Better.",
        "Scores",
        "Curves",
        "Loss",
        "Errors",
        "Answers",
        "Settings",
        "Data",
        "Versions and machine",
    ]
    places = [html.index(f">{title}<") for title in titles]
    assert places == sorted(places)


def test_every_phrase_is_there_in_both_languages(html):
    for zh in (
        "成功了。",
        "结果",
        "更好。",
        "得分",
        "准确率",
        "步数",
        "奈特",
        "留出",
        "截断。",
        "设置",
        "数据",
        "版本与机器",
        "推断",
    ):
        assert f'lang="zh-Hans">{zh}<' in html


@pytest.mark.parametrize(("language", "title"), [("en", "A run"), ("zh", "一次运行")])
def test_the_page_opens_in_the_language_that_was_asked_for(language, title):
    html = report_html(a_page(), a_record(), language=language)
    assert f"<title>{title}</title>" in html
    checked = re.findall(r'<input type="radio" name="language" id="show-(\w+)"[^>]* checked>', html)
    assert checked == [language]


def test_the_page_is_well_formed_and_every_id_is_unique(html):
    ids = outline(html).ids
    assert len(ids) == len(set(ids))
    assert html.startswith("<!DOCTYPE html>")


def test_the_page_loads_nothing_and_runs_nothing(html):
    parser = outline(html)
    assert "http://" not in html
    assert "https://" not in html
    assert "url(" not in html
    assert "@import" not in html
    assert not {"img", "iframe", "object", "video"} & set(parser.starts)
    assert [value for _, name, value in parser.attributes if name in ("src", "href")] == ["data:,"]
    assert [(name, value) for tag, name, value in parser.attributes if tag == "script"] == [
        ("type", "application/json"),
        ("id", "data-block"),
    ]


def test_markup_in_labels_is_text(html):
    assert EVIL not in html
    assert "&lt;script&gt;alert(" in html


def test_the_data_block_reads_back_to_the_same_page_and_record(html):
    block = data_block(html)
    assert from_json(block["page"]) == a_page()
    assert block["record"] == dataclasses.asdict(a_record())


def test_the_data_block_is_standard_json_where_a_value_is_no_number():
    series = Series("loss", (1.0, 2.0, 3.0), (float("nan"), float("inf"), 1.0))
    page = Page(phrase("a", "b"), phrase("c", "d"), (Section(phrase("e", "f"), (Chart("x", "y", "z", (series,)),)),))
    html = report_html(page, a_record(), language="en")
    assert data_block(html)["page"]["sections"][0]["items"][0]["series"][0]["ys"] == [None, None, 1.0]


def test_the_same_page_and_record_give_the_same_bytes(tmp_path):
    for name in ("one.html", "two.html"):
        write_report(tmp_path / name, a_page(), a_record(), language="zh")
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


def test_facts_that_all_scores_share_are_told_once_under_the_title(html):
    shared = "test · n = 2,731 · mean ± sd over 3 seeds · against majority 0.143"
    assert html.count(shared) == 1
    assert "0.491 ± 0.012<" in html
    assert "<small>" not in html[html.index("Scores") : html.index("Dev chose.")]


def test_a_score_tells_beside_its_value_what_the_others_do_not_share():
    rows = (
        ("loss", Score("loss", 4.28, "held-out", 900, 0, None, ("unigram", 6.28))),
        ("pairs", Score("accuracy", 0.78, "held-out", 512, 1)),
    )
    page = Page(phrase("a", "b"), phrase("c", "d"), (Section(phrase("e", "f"), (Table(phrase("t", "u"), ("m", "s"), rows),)),))
    html = report_html(page, a_record(), language="en")
    assert "n = 900 · against unigram 6.280" in html
    assert "n = 512 · one seed" in html
    assert "n = 512 · 单个种子" in html
    assert html.count(">held out<") == 1


def test_numbers_of_a_table_have_three_decimals_throughout():
    table = Table(phrase("t", "u"), ("class", "precision", "examples"), (("a", 0.5, 12_345), ("b", 2 / 3, 1), ("c", 1.0, 2)))
    page = Page(phrase("a", "b"), phrase("c", "d"), (Section(phrase("e", "f"), (table,)),))
    html = report_html(page, a_record(), language="en")
    assert re.findall(r'class="right">([\d.,]+)<', html)[:6] == ["0.500", "12,345", "0.667", "1", "1.000", "2"]


def test_the_highlighted_row_is_marked(html):
    marked = re.findall(r'<tr class="highlight">(.*?)</tr>', html, re.S)
    assert len(marked) == 1
    assert "pretrained" in marked[0]


def test_defaults_wait_behind_a_summary_and_other_origins_are_named(html):
    decided, defaults = html[html.index('<section id="settings">') : html.index('<section id="data">')].split("<details>")
    for name, origin in (("steps", "plan"), ("learning_rate", "given"), ("lines", "inferred"), ("precision", "measured")):
        assert re.search(rf"<code>{name}</code>.*?>{origin}<", decided, re.S)
    assert "lowercase" not in decided
    assert "Show defaults (1)" in defaults
    assert "lowercase" in defaults
    assert "<code>0.0005</code>" in decided


def test_hashes_are_shortened_and_whole_in_the_title(html):
    assert f'<code title="{HASH}">{HASH[:12]}…</code>' in html


def test_a_usual_run_stays_under_300_kilobytes():
    steps = tuple(float(i) for i in range(20_000))
    long = Series(phrase("training", "训练"), steps, tuple(1.0 / (i + 3) + (i % 7) / 91 for i in range(20_000)))
    charts = tuple(dataclasses.replace(a_page().sections[1].items[0], series=(long, long)) for _ in range(4))
    labels = tuple(f"一个相当长的类别名称{i}" for i in range(30))
    confusion = Confusion(phrase("Answers", "回答"), labels, tuple(tuple(i + j for j in range(30)) for i in range(30)))
    page = dataclasses.replace(a_page(), sections=(*a_page().sections, Section(phrase("x", "y"), (*charts, confusion))))
    assert len(report_html(page, a_record(), language="en").encode()) < 300_000


def test_a_finished_run_is_drawn_again_from_its_folder_with_the_same_bytes(tmp_path):
    run = RunFolder(tmp_path / "run")
    run.begin(a_record())
    run.finish({}, a_page())
    write_report(tmp_path / "first.html", a_page(), a_record(), language="en")
    assert redraw(run, "en").read_bytes() == (tmp_path / "first.html").read_bytes()


@pytest.mark.parametrize("code", ["report-no-run", "report-no-result", "report-damaged-result"])
def test_a_run_that_cannot_be_drawn_is_one_clear_error(tmp_path, code):
    run = RunFolder(tmp_path / "run")
    if code != "report-no-run":
        run.begin(a_record())
    if code == "report-damaged-result":
        (tmp_path / "run" / "result.json").write_text("{", encoding="utf-8")
    with pytest.raises(RunFolderError) as caught:
        redraw(run, "en")
    assert caught.value.code == code
    assert code in ERRORS
