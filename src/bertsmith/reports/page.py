"""One offline html file for a run: what the job says, then the settings, the data, the versions and the machine."""

import dataclasses
import json
import math
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from bertsmith.errors import RunFolderError
from bertsmith.files import write_aside
from bertsmith.messages import Phrase
from bertsmith.records.page import Chart, Page, Section, to_json
from bertsmith.records.run import RunFolder, RunRecord
from bertsmith.reports import bars, cells, charts

Language = Literal["en", "zh"]

ORIGINS = {
    "flag": Phrase("given", "指定"),
    "inferred": Phrase("inferred", "推断"),
    "measured": Phrase("measured", "实测"),
    "plan": Phrase("plan", "方案"),
    "default": Phrase("default", "默认"),
}
MACHINE = {
    "system": Phrase("system", "系统"),
    "architecture": Phrase("architecture", "架构"),
    "processor": Phrase("processor", "处理器"),
    "instruction_sets": Phrase("instruction sets", "指令集"),
    "cores": Phrase("cores", "核数"),
    "memory_gib": Phrase("memory, GiB", "内存（GiB）"),
    "python": Phrase("Python", "Python"),
}


def write_report(path: Path, page: Page, record: RunRecord, *, language: Language) -> None:
    """Write the report of a run as one html file that needs no network.

    Args:
        path: the file; what stands there is replaced when the new one is complete.
        page: what the job says of itself.
        record: settings, data, versions and machine; they follow after the page's own sections.
        language: the language that the page opens in; the other one is inside as well.

    Raises:
        MachineError: the file cannot be written.
    """
    text = report_html(page, record, language=language)
    with write_aside(path) as file:
        file.write(text)


def redraw(run_folder: RunFolder, language: Language) -> Path:
    """Draw the report of a finished run again, from its result and its record alone.

    Returns:
        The path of the report.

    Raises:
        RunFolderError: the folder holds no run, a run that has not finished, or a damaged one.
    """
    record = run_folder.read_record()
    if record is None:
        raise RunFolderError(
            "report-no-run", "the folder holds no run", where=run_folder.path, do="give a folder that has a run.json"
        )
    page = _finished_page(run_folder)
    path = run_folder.path / "report.html"
    write_report(path, page, record, language=language)
    return path


def report_html(page: Page, record: RunRecord, *, language: Language) -> str:
    """The report as html; the same page and record give the same text."""
    settings = [(name, cells.setting_text(item.value), item.origin) for name, item in record.settings.items()]
    html = _template().render(
        page=page,
        record=record,
        language=language,
        started=_readable_time(record.started),
        decided=[row for row in settings if row[2] != "default"],
        defaults=[row for row in settings if row[2] == "default"],
        origins=ORIGINS,
        machine=[(MACHINE.get(name, name), cells.setting_text(value)) for name, value in record.machine.items()],
        block=_data_block({"page": to_json(_thinned(page)), "record": dataclasses.asdict(record)}),
    )
    return html.lstrip()  # the macros above the first line leave blank lines behind


def _finished_page(run_folder: RunFolder) -> Page:
    path = run_folder.path / "result.json"
    try:
        result = run_folder.read_result()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunFolderError(
            "report-damaged-result",
            "the result of the run cannot be read",
            where=path,
            do="run the job again in another folder; nothing was touched",
        ) from error
    if result is None:
        raise RunFolderError(
            "report-no-result",
            "the run has not finished, so there is no result to draw",
            where=path,
            do="let it finish first: the command that started it goes on where it stopped",
        )
    return result[1]


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("bertsmith.reports", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {
        "say": cells.say,
        "kind": lambda item: type(item).__name__,
        "cell": cells.cell,
        "hash": cells.short_hash,
    }
    environment.globals |= {
        "both": lambda en, zh: cells.say(Phrase(en, zh)),
        "draw": charts.draw,
        "matrix": charts.matrix,
        "bars": bars.bars,
        "numeric_columns": cells.numeric_columns,
        "shared_facts": cells.shared_facts,
        "own_facts": cells.own_facts,
        "joined": cells.joined,
    }
    return environment.get_template("page.html.jinja")


def _thinned(page: Page) -> Page:
    """The page with its long series cut to what is drawn."""

    def shorter(section: Section) -> Section:
        items = (
            dataclasses.replace(item, series=tuple(charts.thin(one) for one in item.series))
            if isinstance(item, Chart)
            else item
            for item in section.items
        )
        return dataclasses.replace(section, items=tuple(items))

    return dataclasses.replace(page, sections=tuple(shorter(section) for section in page.sections))


def _data_block(values: Any) -> Markup:
    """JSON that can stand inside a script element: no `<` at all, and null for what is no number."""
    text = json.dumps(_finite(values), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, (list, tuple)) else value


def _readable_time(started: str) -> str:
    try:
        return datetime.fromisoformat(started).strftime("%Y-%m-%d %H:%M %Z").strip()
    except ValueError:
        return started
