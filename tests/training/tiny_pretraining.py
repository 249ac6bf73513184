"""A tiny pretraining run: a store of generated sentences, a config, settings."""

import dataclasses
import json
from pathlib import Path

import numpy as np

from bertsmith.data.corpus import Document
from bertsmith.data.token_store import TokenStore, write_store
from bertsmith.text.vocabulary import SPECIAL, Vocabulary
from bertsmith.training.precision import Engine
from bertsmith.training.pretraining.settings import PretrainSettings

WORDS = tuple(f"w{n}" for n in range(40))
VOCABULARY = Vocabulary((*SPECIAL, *WORDS), lowercase=True)
ENGINE = Engine("cpu", "fp32", 1)


def documents(count: int = 40):
    """Counting sentences: every word is followed by the next one, so a neighbour tells a hidden word."""
    random = np.random.default_rng(0)
    for n in range(count):
        sentences = []
        for _ in range(int(random.integers(2, 8))):
            first, length = int(random.integers(0, len(WORDS))), int(random.integers(3, 12))
            sentences.append(" ".join(WORDS[(first + i) % len(WORDS)] for i in range(length)))
        yield Document(tuple(sentences), f"generated:{n}", "held-out" if n % 5 == 4 else "train")


def make_store(folder: Path, count: int = 40) -> TokenStore:
    return write_store(documents(count), VOCABULARY, folder / "store", shard_tokens=10_000, origin={"count": count})


def make_config(folder: Path, width: int = 16, dropout: float = 0.1) -> Path:
    path = folder / "config.json"
    values = {
        "model_type": "bert",
        "vocab_size": VOCABULARY.size,
        "hidden_size": width,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 2 * width,
        "hidden_act": "gelu",
        "max_position_embeddings": 32,
        "type_vocab_size": 2,
        "hidden_dropout_prob": dropout,
        "attention_probs_dropout_prob": dropout,
        "initializer_range": 0.1,
    }
    path.write_text(json.dumps(values))
    return path


def make_settings(folder: Path, output: Path, **changes) -> PretrainSettings:
    """Settings of a run of 60 steps with dropout and several micro-batches a step, over the store and config in `folder`."""
    settings = PretrainSettings(
        store=folder / "store",
        output=output,
        model=str(folder / "config.json"),
        recipe="google-2018",
        steps=60,
        batch_size=6,
        max_seq_length=32,
        micro_batch_tokens=96,
        learning_rate=3e-3,
        warmup=0.1,
        evaluate_every=7,
        evaluation_instances=16,
        save_every=3,
        precision="fp32",
        device="cpu",
        threads=1,
    )
    return dataclasses.replace(settings, **changes)
