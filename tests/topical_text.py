"""Made text whose sentences hang together: documents that wander through their topic, so that neighbours share words and strangers none."""

import random

from bertsmith.data.corpus import Document
from bertsmith.data.token_store import TokenStore, write_store
from bertsmith.text.vocabulary import SPECIAL, Vocabulary

TOPICS, TOPIC_WORDS, COMMON = 60, 40, 8
WORDS = (*(f"t{topic}x{word}" for topic in range(TOPICS) for word in range(TOPIC_WORDS)), *(f"c{n}" for n in range(COMMON)))
VOCABULARY = Vocabulary((*SPECIAL, *WORDS, "##s"), lowercase=True)


def texts(documents: int = 120, sentences: int = 12, seed: int = 0) -> list[list[str]]:
    """Documents as lists of sentences."""
    rng = random.Random(seed)
    found = []
    for number in range(documents):
        topic, text = number % TOPICS, []
        for place in range(sentences):
            near = [f"t{topic}x{(3 * place + step) % TOPIC_WORDS}" for step in range(6)]
            text.append(" ".join([*rng.sample(near, 4), f"c{rng.randrange(COMMON)}", f"t{topic}x{rng.randrange(TOPIC_WORDS)}"]))
        found.append(text)
    return found


def shuffled(found: list[list[str]]) -> list[list[str]]:
    """The same sentences, dealt to documents at random."""
    everything = [sentence for text in found for sentence in text]
    random.Random(1).shuffle(everything)
    return [everything[n : n + 12] for n in range(0, len(everything), 12)]


def shuffled_inside(found: list[list[str]]) -> list[list[str]]:
    """The same documents, each with its sentences in another order."""
    rng = random.Random(2)
    return [rng.sample(text, len(text)) for text in found]


def store_of(folder, found: list[list[str]], vocabulary: Vocabulary = VOCABULARY, held_out: int = 0) -> TokenStore:
    """A store of documents, every so many-th of them held out if asked for."""
    documents = [
        Document(tuple(text), "x", "held-out" if held_out and n % held_out == held_out - 1 else "train")
        for n, text in enumerate(found)
    ]
    return write_store(documents, vocabulary, folder / "store", shard_tokens=10**6, origin={"n": len(found)})
