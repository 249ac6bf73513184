"""`convert`: a checkpoint of any kind in, one of any other out, with a list of what went where."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bertsmith.checkpoints.cards import CardFacts
from bertsmith.checkpoints.checkpoint import Checkpoint
from bertsmith.checkpoints.folder import check_vocabulary
from bertsmith.checkpoints.hub import fetched, hub_name
from bertsmith.checkpoints.names import Part, parts_in
from bertsmith.checkpoints.sources import Kind, Source, read_source, sources_of
from bertsmith.checkpoints.targets import Written, write_target
from bertsmith.errors import CheckpointError, UsageError
from bertsmith.jobs.convert_settings import ConvertSettings
from bertsmith.jobs.outcome import Outcome, command
from bertsmith.messages import Phrase
from bertsmith.messages.names import PARTS, named
from bertsmith.progress import Advance, Listener, Stage, ignore
from bertsmith.text.vocabulary import read_vocabulary

_NOTHING = Phrase("(none)", "（无）")
_REPLACED = Phrase("  an older model at this place was replaced", "  已替换此处的旧模型")


def convert(
    settings: ConvertSettings, *, given: Mapping[str, object], listen: Listener = ignore, language: str = "en"
) -> Outcome:
    """Read a checkpoint, write it in another form, and, when asked, run both ends on the same texts.

    Raises:
        CheckpointError: damaged, missing, left-over or wrongly shaped arrays, or something else stands at the target.
        ConfigError: no config, or that of another network.
        DataError: the vocabulary cannot be read.
        MachineError: a package is missing, or the disk is full.
        UsageError: pickles are not written.
    """
    path, origin = local(settings.source, listen)
    source = chosen(sources_of(path), settings.kind, path)
    _check_apart(source, settings.target)
    listen(Stage("reading weights", 1))
    checkpoint = read_source(source, gelu=settings.gelu, vocab_size=settings.vocab_size, listen=listen)
    listen(Advance(1))
    if settings.vocabulary is not None:
        checkpoint = replace(checkpoint, vocabulary=read_vocabulary(settings.vocabulary))
        check_vocabulary(checkpoint.needed_vocabulary(path), checkpoint.config, settings.vocabulary)
    checkpoint = replace(checkpoint, about={"origin": origin | {"kind": str(source.kind)}} | checkpoint.about)
    listen(Stage("writing weights", 1))
    card = CardFacts(title=settings.target.name)
    written = write_target(settings.target, Kind(settings.to), checkpoint, language=language, card=card)
    listen(Advance(1))
    told = (
        *_told(source, checkpoint, written, settings),
        *([_REPLACED] if written.replaced else []),
        *(Phrase(f"  {one.en}", f"  {one.zh}") for one in written.said),
    )
    numbers = _numbers(source, checkpoint, written, settings)
    if settings.verify:
        from bertsmith.jobs.convert_verify import verified  # here, because it needs a framework

        found = verified(source, settings, checkpoint, listen)
        numbers["differences"], told = found.numbers, (*told, *found.told)
    return Outcome(numbers, told, (command("inspect", settings.target),))


def local(path: Path, listen: Listener) -> tuple[Path, dict[str, Any]]:
    """Where a model lies, fetched where it is a name on a hub, and what is recorded of its origin."""
    name = hub_name(path)
    if name is None:
        return path, {"converted_from": path.name}
    folder, revision = fetched(name, listen=listen)
    return folder, {"hub": name, "revision": revision}


def chosen(sources: tuple[Source, ...], kind: str, path: Path) -> Source:
    """The checkpoint that is meant.

    Raises:
        CheckpointError: there is none of this kind.
    """
    found = next((source for source in sources if kind in ("auto", source.kind)), None)
    if found is None:
        raise CheckpointError(
            "no-such-kind",
            "there is no checkpoint of the kind {kind}",
            where=path,
            do="leave out --kind, or use one of {kinds}",
            kind=kind,
            kinds=", ".join(dict.fromkeys(source.kind for source in sources)),
        )
    return found


def _check_apart(source: Source, target: Path) -> None:
    if os.path.realpath(target) == os.path.realpath(source.folder):
        raise UsageError(
            "target-is-source",
            "the result would take the place of the source",
            where=target,
            do="give another folder for the result",
        )


def part_counts(checkpoint: Checkpoint) -> dict[str, dict[str, int]]:
    """Arrays and weights of each part of the network."""
    counts: dict[str, dict[str, int]] = {}
    for part in Part:
        sizes = [array.size for name, array in checkpoint.arrays.items() if parts_in([name]) == {part}]
        if sizes:
            counts[str(part)] = {"arrays": len(sizes), "weights": sum(sizes)}
    return counts


def _numbers(source: Source, checkpoint: Checkpoint, written: Written, settings: ConvertSettings) -> dict[str, Any]:
    return {
        "source": {"kind": str(source.kind), "weights": str(source.weights)},
        "target": {"kind": settings.to, "folder": str(settings.target), "weights": written.weights},
        "parts": part_counts(checkpoint),
        "beside": list(written.beside),
        "gelu": checkpoint.config.hidden_act,
        "vocabulary": checkpoint.vocabulary.size if checkpoint.vocabulary else None,
        "slots": {slot: len(arrays) for slot, arrays in checkpoint.slots.items()},
        "step": checkpoint.step,
        "not_held": [phrase.en for phrase in written.said],
    }


def _told(source: Source, checkpoint: Checkpoint, written: Written, settings: ConvertSettings) -> list[Phrase]:
    rows = [
        (
            named(PARTS, part),
            Phrase(
                f"{count['arrays']:>4} arrays  {count['weights']:>13,} weights",
                f"{count['arrays']:>4} 个数组  {count['weights']:>13,} 个参数",
            ),
            Phrase(place := f"→ {written.elsewhere.get(Part(part), written.weights)}", place),
        )
        for part, count in part_counts(checkpoint).items()
    ]
    lines = [
        Phrase(
            f"{source.weights} ({source.kind}) → {settings.target} ({settings.to})",
            f"{source.weights}（{source.kind}）→ {settings.target}（{settings.to}）",
        )
    ]
    lines += [
        Phrase(f"  {name.en:24}{what.en}  {where.en}", f"  {_padded(name.zh, 24)}{what.zh}  {where.zh}")
        for name, what, where in rows
    ]
    lines += _told_beside(checkpoint, written)
    return lines


def _padded(text: str, width: int) -> str:
    """A text with blanks behind it; a Chinese character is two columns wide."""
    return text + " " * max(1, width - sum(2 if ord(character) > 0x2E7F else 1 for character in text))


def _told_beside(checkpoint: Checkpoint, written: Written) -> list[Phrase]:
    vocabulary = checkpoint.vocabulary
    pieces = Phrase(f"{vocabulary.size:,} pieces", f"{vocabulary.size:,} 个词片") if vocabulary else _NOTHING
    gelu, why = checkpoint.config.hidden_act, Phrase("", "")
    if checkpoint.source is not None:
        fact = checkpoint.source.gelu.why
        why = Phrase(f" ({fact.en})", f"（{fact.zh}）")
    lines = [
        Phrase(f"  vocabulary: {pieces.en}", f"  词表：{pieces.zh}"),
        Phrase(f"  activation: {gelu}{why.en}", f"  激活函数：{gelu}{why.zh}"),
    ]
    if checkpoint.slots:
        count = sum(map(len, checkpoint.slots.values()))
        lines.append(Phrase(f"  optimizer: {count} arrays of Adam", f"  优化器：Adam 的 {count} 个数组"))
    if checkpoint.step is not None:
        lines.append(Phrase(f"  step: {checkpoint.step:,}", f"  步数：{checkpoint.step:,}"))
    if written.beside:
        names = ", ".join(written.beside)
        lines.append(
            Phrase(
                f"  kept in rest.safetensors, which bertsmith alone reads: {names}",
                f"  存入 rest.safetensors（只有 bertsmith 会读）：{names}",
            )
        )
    return lines
