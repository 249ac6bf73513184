"""`inspect` of a model: what it is, from where, what is missing, and what can be done with it. Nothing is loaded into a network."""

from collections.abc import Sequence
from typing import Any

from bertsmith.checkpoints.checkpoint import Checkpoint
from bertsmith.checkpoints.google import listed
from bertsmith.checkpoints.names import Part
from bertsmith.checkpoints.sources import Kind, Source, config_of, read_source, sources_of
from bertsmith.config.formats import ConfigFile
from bertsmith.errors import BertsmithError
from bertsmith.jobs.convert import local, part_counts
from bertsmith.jobs.convert_settings import InspectSettings
from bertsmith.jobs.outcome import Outcome, command
from bertsmith.messages import Phrase
from bertsmith.messages.names import ORIGINS, PARTS, named
from bertsmith.progress import Listener, Note

_KINDS = {
    Kind.HUGGINGFACE: Phrase("a model folder with safetensors", "含 safetensors 的模型文件夹"),
    Kind.GOOGLE: Phrase("a TensorFlow 1 checkpoint in Google's form", "谷歌格式的 TensorFlow 1 检查点"),
    Kind.GOOGLE_TF2: Phrase("a TensorFlow 2 object checkpoint", "TensorFlow 2 对象检查点"),
    Kind.KERAS: Phrase("a model of keras-hub", "keras-hub 的模型"),
    Kind.TRANSFORMERS_H5: Phrase("TensorFlow weights of transformers (h5)", "transformers 的 TensorFlow 权重（h5）"),
    Kind.PYTORCH: Phrase("a pickle of PyTorch", "PyTorch 的 pickle"),
}
_ABSENT = {
    Part.POOLER: Phrase("no pooler: a classifier would start with a new one", "没有池化层：分类时将新建一个"),
    Part.MLM: Phrase("no masked-LM head: it cannot fill masks", "没有掩码语言模型头：不能填充掩码"),
    Part.NSP: Phrase("no next-sentence head", "没有下一句头"),
}
_NO_VOCABULARY = Phrase(
    "no vocabulary: texts cannot be read; put the model's vocab.txt beside the weights",
    "没有词表：无法读入文本；请把模型的 vocab.txt 放在权重旁边",
)


def inspect_model(settings: InspectSettings, listen: Listener) -> Outcome:
    """Look at every checkpoint that a path holds; what cannot be read is told in place of its parts.

    Raises:
        CheckpointError: nothing that is known lies there.
        BertsmithError: there is one checkpoint, and it cannot be read.
    """
    path, origin = local(settings.path, listen)
    sources = sources_of(path)
    looked = [_looked(source, settings, only=len(sources) == 1) for source in sources]
    numbers = {"path": str(path), "origin": origin, "checkpoints": [one for one, _, _ in looked]}
    told = [line for _, lines, _ in looked for line in (*lines, Phrase("", ""))]
    return Outcome(numbers, tuple(told[:-1]), tuple(dict.fromkeys(line for _, _, commands in looked for line in commands)))


def _looked(source: Source, settings: InspectSettings, *, only: bool) -> tuple[dict[str, Any], list[Phrase], Sequence[str]]:
    """One checkpoint: numbers, lines, and the commands that it can be used with."""
    kind = _KINDS[source.kind]
    head = Phrase(f"{source.weights}: {kind.en}", f"{source.weights}：{kind.zh}")
    numbers: dict[str, Any] = {"kind": str(source.kind), "weights": str(source.weights)}
    notes: list[Note] = []
    try:
        found = read_source(
            source,
            gelu=settings.gelu,
            vocab_size=settings.vocab_size,
            listen=lambda event: notes.append(event) if isinstance(event, Note) else None,
        )
    except BertsmithError as error:
        lines = _listed_lines(source, settings)
        if only and not lines:
            raise
        fault = Phrase(f"  {error.text('en')}", f"  {error.text('zh')}")
        return numbers | {"fault": error.code}, [head, *lines, fault], ()
    lines = [head, *_config_lines(found), *_part_lines(found), *_other_lines(found)]
    lines += [Phrase(f"  {note.text('en')}", f"  {note.text('zh')}") for note in notes]
    numbers |= _numbers(found)
    return numbers, lines, _commands(source, found)


def _listed_lines(source: Source, settings: InspectSettings) -> list[Phrase]:
    """What an index tells where the data behind it cannot be read."""
    if source.kind not in (Kind.GOOGLE, Kind.GOOGLE_TF2):
        return []
    names = listed(source.weights)
    biggest = sorted(names.items(), key=lambda item: -_count(item[1]))[:5]
    total = sum(_count(shape) for shape in names.values())
    lines = [
        Phrase(
            f"  the index lists {len(names):,} variables, {total:,} numbers; the largest:",
            f"  索引列出 {len(names):,} 个变量、{total:,} 个数；最大的：",
        )
    ]
    lines += [Phrase(row, row) for row in (f"    {name} {'×'.join(map(str, shape))}" for name, shape in biggest)]
    try:
        file = config_of(source, gelu=settings.gelu, vocab_size=settings.vocab_size)
    except BertsmithError:
        return lines
    return [*_sizes(file), *lines]


def _count(shape: Sequence[int]) -> int:
    total = 1
    for size in shape:
        total *= size
    return total


def _config_lines(found: Checkpoint) -> list[Phrase]:
    return [] if found.source is None else _sizes(found.source)


def _sizes(file: ConfigFile) -> list[Phrase]:
    config, gelu = file.config, file.gelu
    sizes = (config.num_hidden_layers, config.hidden_size, config.num_attention_heads, config.intermediate_size)
    layers, width, heads, inner = (f"{size:,}" for size in sizes)
    return [
        Phrase(
            f"  config: {layers} layers of width {width}, {heads} heads, feed-forward {inner}, {config.vocab_size:,} pieces, "
            f"{config.max_position_embeddings:,} positions ({file.form})",
            f"  配置：{layers} 层，宽 {width}，{heads} 个头，前馈 {inner}，{config.vocab_size:,} 个词片，"
            f"{config.max_position_embeddings:,} 个位置（{file.form}）",
        ),
        Phrase(f"  activation: {gelu.activation} ({gelu.why.en})", f"  激活函数：{gelu.activation}（{gelu.why.zh}）"),
    ]


def _part_lines(found: Checkpoint) -> list[Phrase]:
    counts = part_counts(found)
    lines = [
        Phrase(
            f"  {named(PARTS, part).en}: {count['arrays']} arrays, {count['weights']:,} weights",
            f"  {named(PARTS, part).zh}：{count['arrays']} 个数组，{count['weights']:,} 个参数",
        )
        for part, count in counts.items()
    ]
    total = sum(count["weights"] for count in counts.values())
    return [*lines, Phrase(f"  together {total:,} weights", f"  共 {total:,} 个参数")]


def _other_lines(found: Checkpoint) -> list[Phrase]:
    lines = []
    if found.slots:
        count = sum(map(len, found.slots.values()))
        lines.append(Phrase(f"  optimizer: {count} arrays of Adam", f"  优化器：Adam 的 {count} 个数组"))
    if found.step is not None:
        lines.append(Phrase(f"  trained for {found.step:,} steps", f"  已训练 {found.step:,} 步"))
    if found.vocabulary is not None:
        case = Phrase("lowercase", "小写") if found.vocabulary.lowercase else Phrase("cased", "区分大小写")
        size = found.vocabulary.size
        lines.append(Phrase(f"  vocabulary: {size:,} pieces, {case.en}", f"  词表：{size:,} 个词片，{case.zh}"))
    labels = found.about.get("labels") or []
    if labels:
        shown = ", ".join(map(str, labels[:8])) + (" …" if len(labels) > 8 else "")
        lines.append(Phrase(f"  labels: {shown}", f"  标签：{shown}"))
    origin = found.about.get("origin")
    if isinstance(origin, dict):
        names = [(named(ORIGINS, key), value) for key, value in origin.items()]
        en, zh = (", ".join(f"{name.text(language)} {value}" for name, value in names) for language in ("en", "zh"))
        lines.append(Phrase(f"  from: {en}", f"  来源：{zh}"))
    missing = [phrase for part, phrase in _ABSENT.items() if part not in found.parts and Part.CLASSIFIER not in found.parts]
    missing += [_NO_VOCABULARY] if found.vocabulary is None else []
    return lines + [Phrase(f"  missing: {phrase.en}", f"  缺少：{phrase.zh}") for phrase in missing]


def _numbers(found: Checkpoint) -> dict[str, Any]:
    return {
        "config": found.config.to_dict(),
        "form": found.source.form if found.source else None,
        "gelu": {"activation": found.config.hidden_act, "origin": found.source.gelu.origin if found.source else None},
        "parts": part_counts(found),
        "vocabulary": found.vocabulary.size if found.vocabulary else None,
        "labels": found.about.get("labels", []),
        "slots": sorted(found.slots),
        "step": found.step,
        "about": found.about,
    }


def _commands(source: Source, found: Checkpoint) -> Sequence[str]:
    """What can be done with it."""
    if source.kind is not Kind.HUGGINGFACE:
        kind = () if source.weights != source.folder else ("--kind", source.kind)
        return [command("convert", source.weights, "NEW_FOLDER", *kind)]
    if found.vocabulary is None:
        return []
    if found.about.get("task") == "classify":
        return [command("predict", source.folder, "TEXT"), command("evaluate", source.folder, "DATA.csv")]
    lines = [command("finetune", "DATA.csv", "--model", source.folder)]
    if Part.MLM in found.parts:
        lines.append(command("pretrain", "STORE", "--model", source.folder))
    return [*lines, command("convert", source.folder, "NEW_FOLDER", "--to", "google")]
