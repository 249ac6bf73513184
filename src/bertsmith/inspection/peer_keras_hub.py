"""A program of its own: `python peer_keras_hub.py FOLDER TEXTS OUT` runs a preset folder in keras-hub and writes what every layer gave.

It imports nothing of bertsmith, so that it runs in any environment that has keras-hub.
"""

import os
import sys
from pathlib import Path
from typing import Any

NOT_INSTALLED = 7  # exit code


def main(folder: str, texts: str, out: str) -> int:
    """Run; `TEXTS` holds `ids_0`, `segments_0`, …; `OUT` gets `hidden_0`, … (layers + 1, T, D), `pooled_0`, `masked_lm_0`, `logits_0`."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        import keras
        import keras_hub
    except ImportError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return NOT_INSTALLED
    import numpy as np

    task = _task(keras_hub, folder)
    backbone = task.backbone if task is not None else keras_hub.models.BertBackbone.from_preset(folder)
    layers = [f"transformer_layer_{number}" for number in range(backbone.num_layers)]
    outputs = [backbone.get_layer(name).output for name in ("embeddings_dropout", *layers)]
    network = keras.Model(backbone.inputs, [*outputs, backbone.output["pooled_output"]])
    given = np.load(texts)
    found: dict[str, Any] = {}
    for number in range(len(given.files) // 2):
        ids = given[f"ids_{number}"][None].astype("int32")
        inputs = {
            "token_ids": ids,
            "segment_ids": given[f"segments_{number}"][None].astype("int32"),
            "padding_mask": np.ones_like(ids),
        }
        *hidden, pooled = (np.asarray(value) for value in network(inputs, training=False))
        found[f"hidden_{number}"] = np.stack([layer[0] for layer in hidden])
        found[f"pooled_{number}"] = pooled[0]
        if task is not None and type(task).__name__ == "BertMaskedLM":
            places = np.arange(ids.shape[1], dtype="int32")[None]
            found[f"masked_lm_{number}"] = np.asarray(task(inputs | {"mask_positions": places}, training=False))[0]
        elif task is not None:
            found[f"logits_{number}"] = np.asarray(task(inputs, training=False))[0]
    np.savez(out, **found)
    return 0


def _task(keras_hub: Any, folder: str) -> Any:
    if not (Path(folder) / "task.json").is_file():
        return None
    name = (
        "BertMaskedLM" if "BertMaskedLM" in (Path(folder) / "task.json").read_text(encoding="utf-8") else "BertTextClassifier"
    )
    return getattr(keras_hub.models, name).from_preset(folder, preprocessor=None)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
