"""A made corpus of English-like words, its vocabulary, and settings for a tiny training over it."""

import dataclasses
import json
import random

from bertsmith.data.settings import PrepareSettings
from bertsmith.text.vocabulary import SPECIAL, Vocabulary
from bertsmith.training.pretraining.settings import PretrainSettings

LETTERS = "abcdefghijklmnopqrstuvwxyz"
VOCABULARY = Vocabulary((*SPECIAL, *LETTERS, *(f"##{letter}" for letter in LETTERS), "."), lowercase=True)


def make_corpus(folder):
    draw = random.Random(0)
    words = ["".join(draw.choices(LETTERS, k=draw.randint(1, 5))) for _ in range(200)]
    sentences = [" ".join(draw.choices(words, k=draw.randint(2, 8))).capitalize() + "." for _ in range(600)]
    documents = ["\n".join(draw.choices(sentences, k=draw.randint(2, 8))) for _ in range(200)]
    VOCABULARY.write(folder / "vocabulary")
    (folder / "corpus.txt").write_text("\n\n".join(documents) + "\n")


def prepare_settings(folder, name, cluster=""):
    return PrepareSettings(
        corpus=folder / "corpus.txt",
        vocabulary=folder / "vocabulary",
        output=folder / name,
        shard_tokens=5_000,
        held_out=0.1,
        workers=2 if cluster else 1,
        cluster=cluster,
    )


def make_config(folder):
    values = {
        "model_type": "bert",
        "vocab_size": VOCABULARY.size,
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "max_position_embeddings": 64,
        "type_vocab_size": 2,
    }
    (folder / "config.json").write_text(json.dumps(values))


def pretrain_settings(folder, name, cluster="", processes=0):
    return PretrainSettings(
        store=folder / "store",
        output=folder / name,
        model=str(folder / "config.json"),
        recipe="google-2018",
        steps=120,
        batch_size=6,
        max_seq_length=64,
        micro_batch_tokens=128,
        learning_rate=3e-3,
        evaluate_every=50,
        evaluation_instances=16,
        save_every=7,
        precision="fp32",
        device="cpu",
        threads=1,
        cluster=cluster,
        processes=processes,
    )


def flags_of(settings):
    """The command line of `pretrain` with these settings; what is left at its default is not given, for a recipe may decide it."""
    fields = [field for field in dataclasses.fields(settings) if field.name != "store"]
    given = {field.name: value for field in fields if (value := getattr(settings, field.name)) != field.default}
    return [str(settings.store), *(f"--{name.replace('_', '-')}={value}" for name, value in given.items())]
