"""A program of its own: `python peer_transformers.py FOLDER TEXTS OUT` runs a folder in transformers and writes what every layer gave.

It imports nothing of bertsmith, so that it runs in any environment that has transformers: with PyTorch, or, for a folder that holds
`tf_model.h5` alone, with TensorFlow (transformers 4).
"""

import sys
from pathlib import Path
from typing import Any

NOT_INSTALLED = 7  # exit code


def main(folder: str, texts: str, out: str) -> int:
    """Run; `TEXTS` holds `ids_0`, `segments_0`, …; `OUT` gets `hidden_0`, … (layers + 1, T, D), `masked_lm`, `next_sentence`, `classes`."""
    import numpy as np

    tensorflow = not list(Path(folder).glob("*.safetensors")) and (Path(folder) / "tf_model.h5").is_file()
    try:
        run = _tensorflow(folder) if tensorflow else _torch(folder)
    except ImportError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return NOT_INSTALLED
    given = np.load(texts)
    found: dict[str, Any] = {}
    for number in range(len(given.files) // 2):
        hidden, heads = run(given[f"ids_{number}"][None], given[f"segments_{number}"][None])
        found[f"hidden_{number}"] = hidden
        for name, values in heads.items():
            found[f"{name}_{number}"] = values
    np.savez(out, **found)
    return 0


_HEADS = {
    "prediction_logits": "masked_lm",
    "seq_relationship_logits": "next_sentence",
    "pooler_output": "pooled",
    "start_logits": "start",
    "end_logits": "end",
}
# what a class with one head calls `logits`
_LOGITS = {
    "BertForMaskedLM": "masked_lm",
    "BertForNextSentencePrediction": "next_sentence",
    "BertForSequenceClassification": "logits",
}


def _torch(folder: str) -> Any:
    import torch
    import transformers

    config = transformers.AutoConfig.from_pretrained(folder)
    model = getattr(transformers, _class_of(config)).from_pretrained(folder, attn_implementation="eager").float().eval()

    def run(ids: Any, segments: Any) -> Any:
        import numpy as np

        with torch.no_grad():
            answer = model(torch.tensor(ids), token_type_ids=torch.tensor(segments), output_hidden_states=True)
        return np.stack([layer[0].numpy() for layer in answer.hidden_states]), _heads(answer, config)

    return run


def _tensorflow(folder: str) -> Any:
    import os

    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf
    import transformers

    config = transformers.AutoConfig.from_pretrained(folder)
    model = getattr(transformers, "TF" + _class_of(config)).from_pretrained(folder)

    def run(ids: Any, segments: Any) -> Any:
        import numpy as np

        answer = model(
            tf.constant(ids), token_type_ids=tf.constant(segments), output_hidden_states=True, return_dict=True, training=False
        )
        return np.stack([layer[0].numpy() for layer in answer.hidden_states]), _heads(answer, config)

    return run


def _heads(answer: Any, config: Any) -> dict[str, Any]:
    name = _class_of(config)
    names = _HEADS | ({"logits": _LOGITS[name]} if name in _LOGITS else {})
    return {ours: answer[theirs][0].numpy() for theirs, ours in names.items() if answer.get(theirs) is not None}


def _class_of(config: Any) -> str:
    return str((config.architectures or ["BertModel"])[0])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
