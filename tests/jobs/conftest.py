from dataclasses import dataclass
from pathlib import Path

import huggingface_hub.constants
import pytest
from tiny_job import (
    LENGTH,
    QUICK,
    TUNING,
    block_network,
    done,
    labelled,
    pieces_of,
    write_config,
    write_corpus,
    write_table,
)


@pytest.fixture(scope="session", autouse=True)
def quiet_surroundings():
    """No language of the machine and no network; the whole session of jobs must not try to reach out."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("BERTSMITH_LANG", "LC_ALL", "LC_MESSAGES", "LANG", "BERTSMITH_DEBUG"):
            patch.delenv(name, raising=False)
        patch.setenv("COLUMNS", "100")
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)  # other tests may have imported it before
        attempts = block_network(patch.setattr)
        yield
        # what other folders try in the same process, such as transformers, is their own affair
        assert [attempt for attempt in attempts if attempt[0].startswith("tests/jobs/")] == []


@dataclass(frozen=True)
class Made:
    """What the chain of commands left in one language."""

    place: Path
    corpus: Path
    vocabulary: Path
    store: Path
    config: Path
    pretrained: Path
    table: Path
    tuned: Path
    finetuning: tuple[object, ...]  # the command that made `tuned`

    @property
    def pretraining(self):
        """The command that made `pretrained`."""
        return ("pretrain", self.store, "--model", self.config, "--steps", 10, "--batch-size", 8, *LENGTH, *QUICK)


def make(place, language, table):
    """vocab, prepare, pretrain, finetune, by the command line alone."""
    corpus = write_corpus(place / "texts", language)
    vocabulary, store, tuned = place / "vocabulary", place / "store", place / "tuned"
    done("vocab", corpus, "--output", vocabulary, "--size", 400)
    done("prepare", corpus, "--vocabulary", vocabulary, "--output", store, "--held-out", 0.4)
    config = write_config(place / "config.json", pieces_of(vocabulary))
    pretrained = place / "pretrained"
    finetuning = ("finetune", table, "--model", pretrained / "model", *TUNING)
    made = Made(place, corpus, vocabulary, store, config, pretrained, table, tuned, finetuning)
    done(*made.pretraining, "--output", pretrained, language=language)
    done(*finetuning, "--output", tuned, language=language)
    return made


@pytest.fixture(scope="session")
def english(tmp_path_factory):
    place = tmp_path_factory.mktemp("english")
    return make(place, "en", write_table(place / "labels.csv", ("text", "label"), labelled("en")))


@pytest.fixture(scope="session")
def chinese(tmp_path_factory):
    place = tmp_path_factory.mktemp("中文 任务")
    return make(place, "zh", write_table(place / "评论.csv", ("评论", "情感"), labelled("zh"), encoding="gbk"))
