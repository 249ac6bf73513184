"""Chinese of what `reports` says."""

ERRORS: dict[str, tuple[str, str]] = {
    "report-no-run": ("该文件夹中没有运行记录", "请给出含有 run.json 的文件夹"),
    "report-no-result": ("运行尚未结束，没有可以绘制的结果", "请先让它完成：重复启动它的命令即可从中断处继续"),
    "report-damaged-result": ("无法读取运行结果", "请在另一个文件夹中重新运行；原有内容未被改动"),
}
NOTES: dict[str, str] = {}
