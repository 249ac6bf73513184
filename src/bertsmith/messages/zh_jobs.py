"""The Chinese of the jobs."""

ERRORS: dict[str, tuple[str, str]] = {
    "no-ray": ("--cluster 需要 ray 包，但未安装", "请运行 `pip install 'bertsmith[cluster]'`，或去掉 --cluster"),
    "no-cluster": (
        "{address} 处没有 Ray 集群应答：{reason}",
        "请给出 `ray start --head` 显示的地址；或用 --cluster local 在本机启动一个",
    ),
    "cluster-too-small": (
        "{count} 个进程放不进只有 {cores} 个核心、{gpus} 块 GPU 的集群",
        "请减小 --processes；若 GPU 太少，可用 --device cpu",
    ),
    "cluster-lost": ("集群一再失去工作进程：{reason}", "请检查其内存是否耗尽；再次运行同一命令即可从已保存处继续"),
    "cluster-fault": ("集群上的一个进程失败：{reason}", "这可能是 bertsmith 的缺陷；去掉 --cluster 运行可得到更多说明"),
    "cluster-in-torchrun": ("--cluster 会自行启动进程，而 torchrun 已启动了一些", "请去掉 torchrun，或去掉 --cluster"),
    "cluster-stopped": ("已停止；最新训练状态之后的步数将重做", "再次运行同一命令即可从那里继续"),
    "folder-not-shared": ("集群中并非每台机器都能看到此文件夹：{hosts}", "请把 --output 放在所有机器共享的文件夹中"),
    "no-such-instance": ("本轮只有 {count} 个样本", "请给出小于 {count} 的 --first"),
    "labels-without-corpus": ("--labels 需要同时给出用于预训练的 --corpus", "请用 --corpus 给出文本文件夹，或去掉 --labels"),
    "vocabulary-place-taken": ("那里已有别的东西：{names}", "请用 --output 另选文件夹；原有内容未被改动"),
    "no-group": ("--split group 需要分组列", "请用 --group 指定"),
    "no-such-source": ("没有这个文件", "请检查路径，或直接给出文本"),
    "second-missing": ("该模型判断的是句对", "请同时给出第二段文本"),
    "too-few-runs": ("{field} 中有 {count} 个不同的运行文件夹", "请给出两个或更多，每个一次"),
    "runs-of-different-jobs": ("这些运行无从比较：{jobs}", "请比较同一任务的运行"),
    "no-run-to-compare": ("该文件夹中没有 {jobs} 的运行", "请给出 --output 所指、含有 run.json 的文件夹"),
    "second-given": ("该模型判断的是单段文本", "请去掉第二段文本"),
}

NOTES: dict[str, str] = {
    "quickstart-plan": "本机训练速度约 {speed} 词元/秒：采用 {plan} 方案，预训练 {steps} 步",
    "no-labels": "没有给出带标签的表格（`--labels`）：不做微调",
    "texts-found": "{documents} 篇文档，{sentences} 个句子，去掉 {repeated} 个重复行",
    "repeats-dropped": "去掉了 {count} 个重复句子（{share}）",
    "labels-contradict": "{path}：{count} 行的文本在表中另有不同的标签（第 {lines} 行）；没有模型能全部答对",
    "none-held-out": "{documents} 篇文档按比例 {share} 没有留出任何一篇：预训练时无法评测（--held-out）",
    "repeats-kept": "{count} 个句子（{share}）与之前的重复，已保留",
}
