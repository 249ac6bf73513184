import re
import shutil
import subprocess

import pytest

from bertsmith.messages import Phrase
from bertsmith.records.page import Chart, Confusion, Page, Paragraph, Section, Series, Table
from bertsmith.records.run import RunRecord, Setting
from bertsmith.records.scores import Score
from bertsmith.reports.page import write_report

NAME = Phrase("a name of some length", "一个有些长度的名称")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--allow-file-access-from-files",
    "--hide-scrollbars",
    "--enable-logging=stderr",
)


def a_page():
    labels = tuple(f"体育与国际新闻时政评论{i}" for i in range(30))
    score = Score("accuracy", 0.491, "test", 2731, 3, 0.012, ("majority", 0.143))
    items = (
        Paragraph(NAME, "warning"),
        Table(NAME, (NAME,) * 5, ((NAME, score, score, score, 1_473_920),), highlight=0),
        Chart(NAME, NAME, NAME, (Series(NAME, (0.0, 1.0, 4000.0), (1.0, 3.0, 2.0)),)),
        Confusion(NAME, labels, tuple((3,) * 30 for _ in labels)),
    )
    return Page(NAME, NAME, (Section(NAME, items),))


def a_record():
    settings = {"output": Setting("/a/very/long/path/" * 8, "flag"), "seed": Setting(0)}
    return RunRecord("finetune", settings, started="2026-03-04T05:06:07+00:00")


@pytest.fixture
def browse(tmp_path):
    program = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is on the path")

    def run(page, *flags):
        command = [program, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", *flags, page.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert "CONSOLE" not in done.stderr
        return done.stdout

    return run


@pytest.mark.browser
def test_a_browser_shows_both_languages_light_and_dark_and_complains_of_nothing(browse, tmp_path):
    pictures = set()
    for language in ("en", "zh"):
        write_report(tmp_path / f"{language}.html", a_page(), a_record(), language=language)
        for scheme in ("0", "1"):
            picture = tmp_path / f"{language}-{scheme}.png"
            browse(tmp_path / f"{language}.html", f"--screenshot={picture}", f"--blink-settings=preferredColorScheme={scheme}")
            pictures.add(picture.read_bytes())
    assert len(pictures) == 4


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1200])
def test_the_page_never_scrolls_sideways(browse, tmp_path, width):
    write_report(tmp_path / "report.html", a_page(), a_record(), language="zh")
    frame = tmp_path / "frame.html"
    frame.write_text(
        f'<iframe src="report.html" style="width:{width}px;height:800px;border:0" '
        "onload=\"document.title='width ' + this.contentDocument.documentElement.scrollWidth\"></iframe>",
        encoding="utf-8",
    )
    assert re.search(r"<title>width (\d+)</title>", browse(frame, "--dump-dom"))[1] == str(width)
