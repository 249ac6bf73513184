"""`bertsmith.json`: what a folder tells of its model beside sizes and weights: origin, task, labels, metrics, gelu."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bertsmith.checkpoints.huggingface import labels_of
from bertsmith.checkpoints.json_objects import json_object
from bertsmith.checkpoints.weights import Arrays
from bertsmith.errors import CheckpointError
from bertsmith.files import json_text
from bertsmith.messages import Phrase

ABOUT = "bertsmith.json"


def read_about(path: Path, values: Mapping[str, Any], arrays: Arrays) -> dict[str, Any]:
    """What bertsmith.json tells; without it the labels of the classification head, or nothing.

    Args:
        path: the folder.
        values: the content of its config.json.
        arrays: the weights.

    Raises:
        CheckpointError: it is damaged, or its labels are not those of the weights.
    """
    classes = len(arrays["classifier.bias"]) if "classifier.bias" in arrays else 0
    if not (path / ABOUT).is_file():
        return {"labels": labels_of(values, classes)} if classes else {}
    try:
        about = json_object((path / ABOUT).read_bytes())
    except ValueError as error:
        raise _damaged(path, Phrase(f"no JSON object ({error})", f"不是 JSON 对象（{error}）")) from error
    for key, value in about.items():
        _check(key, value, path)
    labels = len(about.get("labels", ()))
    if labels != classes:
        raise _damaged(
            path,
            Phrase(f"{labels} labels for {classes} classes in the weights", f"{labels} 个标签对应权重中的 {classes} 个类别"),
        )
    return about


def _check(key: str, value: Any, path: Path) -> None:
    """Refuse what could not be used, printed, or written again."""
    shown = json.dumps(key)
    if not _KEYS.get(key, lambda _: True)(value):
        raise _damaged(path, Phrase(f"{shown} holds something of another kind", f"{shown} 的内容类型不对"))
    try:
        json_text({key: value}).encode()
    except (UnicodeEncodeError, RecursionError) as error:
        reason = Phrase(f"{shown} holds half of a character, or is nested too deep", f"{shown} 含有残缺字符，或嵌套过深")
        raise _damaged(path, reason) from error


def _is_labels(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(label, str) for label in value)


def tells_of_texts(value: Any) -> bool:
    """Whether an object says how texts are made ready: `lowercase`, and perhaps `strip_accents` and `split_chinese`."""
    return (
        isinstance(value, dict)
        and isinstance(value.get("lowercase"), bool)
        and isinstance(value.get("strip_accents"), bool | None)
        and isinstance(value.get("split_chinese", True), bool)
    )


def _is_length(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


# the keys that this program reads; the others are kept as they are
_KEYS = {
    "labels": _is_labels,
    "text": tells_of_texts,
    "task": lambda value: isinstance(value, str),
    "max_length": _is_length,
}


def _damaged(path: Path, reason: Phrase) -> CheckpointError:
    return CheckpointError(
        "damaged-about",
        "these facts about the model cannot be used: {reason}",
        where=path / ABOUT,
        do="copy the whole folder again; without this file the model opens like one of transformers",
        reason=reason,
    )
