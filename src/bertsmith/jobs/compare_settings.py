"""Settings of `compare`."""

from dataclasses import dataclass
from pathlib import Path

from bertsmith.config.fields import REQUIRED, check, documented
from bertsmith.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class CompareSettings:
    """Runs beside each other: settings, data, curves, results."""

    runs: tuple[str, ...] = documented(
        REQUIRED,
        "run folders of pretrain or of finetune, two or more, finished or under way",
        "pretrain 或 finetune 的运行文件夹，两个或更多，已结束或进行中",
        positional=True,
    )
    watch: bool = documented(
        False,
        "read the runs every few seconds and draw the table anew, until all have finished or Ctrl-C",
        "每隔几秒重新读取并刷新表格，直到全部结束或按 Ctrl-C",
    )
    output: Path | None = documented(
        None,
        "run folder for the numbers and the report with the curves; empty: none is written",
        "存放数字与含曲线报告的运行文件夹；空则不写",
    )

    def __post_init__(self) -> None:
        check(self, self._runs_fault())

    def _runs_fault(self) -> ConfigError | None:
        if isinstance(self.runs, str) or not isinstance(self.runs, (tuple, list)):
            return None
        different = {Path(run).resolve() for run in self.runs if isinstance(run, str)}
        if len(different) == len(self.runs) >= 2:
            return None
        return ConfigError(
            "too-few-runs",
            "{field} names {count} different run folders",
            do="give two or more, each once",
            field="runs",
            count=len(different),
        )
