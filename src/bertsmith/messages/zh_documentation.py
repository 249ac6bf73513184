"""Chinese of `data/documentation*.py`."""

ERRORS: dict[str, tuple[str, str]] = {
    "documentation-none": (
        "在 {files} 个 Python 文件中没有找到任何文档",
        "请用 --corpus 给出自己的语料；这里的库似乎没有连同源代码一起安装",
    ),
}
NOTES: dict[str, str] = {
    "documentation-read": "已读取 {libraries} 个库（{modules} 个模块）的文档：{documents} 篇文档，{sentences} 个句子，{words} 个词；"
    "去掉 {repeated} 个重复句和留出文本中的 {copied} 个近似句，跳过 {skipped} 个无法读取的文件",
}
