"""A BERT whose sizes all differ, with random weights."""

import numpy as np

from bertsmith.checkpoints.folder import Checkpoint
from bertsmith.checkpoints.names import Part, shapes
from bertsmith.config.bert import BertConfig
from bertsmith.text.vocabulary import Vocabulary

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
WORDS = ("the", "cat", "sat", "on", "a", "mat", "##s", "好", "书", ".")
VOCABULARY = Vocabulary(pieces=SPECIAL + WORDS, lowercase=True)
# every size differs, so that a swapped axis or a wrong table shows
CONFIG = BertConfig(
    vocab_size=19,
    hidden_size=12,
    num_hidden_layers=2,
    num_attention_heads=3,
    intermediate_size=20,
    max_position_embeddings=17,
    type_vocab_size=4,
)
PRETRAINING = (Part.ENCODER, Part.POOLER, Part.MLM, Part.NSP)
LABELS = ["bad", "good", "so-so", "差评", "好评"]


def checkpoint(*parts: Part, config: BertConfig = CONFIG) -> Checkpoint:
    """Random weights for the named parts, those of pretraining where none is named."""
    random = np.random.default_rng(7)
    arrays = {
        name: random.normal(0, 0.3, shape).astype(np.float32)
        for part in parts or PRETRAINING
        for name, shape in shapes(config, part, len(LABELS)).items()
    }
    about = {"task": "classify", "labels": LABELS} if Part.CLASSIFIER in parts else {}
    return Checkpoint(config, arrays, VOCABULARY, about | {"origin": {"run": "a test"}})
