"""Going on from a model whose vocabulary is kept, or extended by the token store's."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from tiny_pretraining import VOCABULARY, make_config, make_settings, make_store

from bertsmith.checkpoints.checkpoint import Checkpoint
from bertsmith.checkpoints.folder import read_config, write_model_folder
from bertsmith.data.batches import frame, pack
from bertsmith.data.corpus import Document
from bertsmith.data.instance_recipe import objective_of
from bertsmith.data.token_store import write_store
from bertsmith.errors import ConfigError
from bertsmith.models.bert.heads import BertForPretraining
from bertsmith.models.bert.initialize import initialize
from bertsmith.models.bert.load import load_arrays, to_arrays
from bertsmith.models.bert.pack import Pack
from bertsmith.progress import ignore
from bertsmith.text.vocabulary import Vocabulary
from bertsmith.training.pretraining.growth import BIAS, TABLE, grown, vocabulary_fault
from bertsmith.training.pretraining.run import start_of, workload_of

OLD = Vocabulary((*VOCABULARY.pieces, "a", "##b", "##c"), lowercase=True)
NEW = Vocabulary((*OLD.pieces, "abc", "##bc", "ω"), lowercase=True)
TEXTS = ("w1 w2 w3 abc", "abcbc w2 ω", "w4 a w5 abc", "w1 w2 ab")
COUNTS = {"abc": 3, "##bc": 1, "ω": 1, "a": 2, "##b": 1, "##c": 0}


def random_model(folder, vocabulary, rows=None):
    """A model folder with random weights, and what is in it."""
    config = read_config(make_config(folder)).replace(vocab_size=rows or vocabulary.size)
    model = BertForPretraining(config)
    initialize(model, 0.5, seed=3)
    with torch.no_grad():
        model.masked_lm.bias.normal_(generator=torch.Generator().manual_seed(5))
    checkpoint = Checkpoint(config, to_arrays(model), vocabulary, {"origin": {"job": "test"}})
    write_model_folder(folder / "model", checkpoint, language="en", card={"title": "test", "scores": []})
    return checkpoint


def store_with(folder, vocabulary, texts=TEXTS, name="store"):
    documents = [Document((text, "w1 w2"), f"made:{n}", "train") for n, text in enumerate(texts)]
    return write_store(documents, vocabulary, folder / name, shard_tokens=1000, origin={"texts": list(texts)})


def settings_of(folder, **changes):
    return make_settings(folder, folder / "run", model=str(folder / "model"), **changes)


def hidden(checkpoint, pieces):
    model = BertForPretraining(checkpoint.config)
    load_arrays(model, checkpoint.arrays)
    ids, segments = frame(np.array([checkpoint.vocabulary.ids[piece] for piece in pieces]), None, 2, 3)
    with torch.inference_mode():
        return model.eval().bert(Pack.of(pack([ids], [segments]), "cpu"))


def test_old_text_gives_the_old_hidden_states_in_the_grown_model(tmp_path):
    before = random_model(tmp_path, OLD)
    after = grown(before, store_with(tmp_path, NEW), ignore)
    pieces = ["w1", "w7", "a", "##b", "w3"]
    assert (hidden(after, pieces) - hidden(before, pieces)).abs().max() <= 1e-6
    np.testing.assert_array_equal(after.arrays[TABLE][: OLD.size], before.arrays[TABLE])
    np.testing.assert_array_equal(after.arrays[BIAS][: OLD.size], before.arrays[BIAS])


def test_new_rows_are_the_means_of_the_rows_of_their_old_pieces(tmp_path):
    before = random_model(tmp_path, OLD)
    after = grown(before, store_with(tmp_path, NEW), ignore)
    table, ids = before.arrays[TABLE], OLD.ids
    assert after.config.vocab_size == len(after.arrays[TABLE]) == len(after.arrays[BIAS]) == NEW.size
    rows = after.arrays[TABLE]
    np.testing.assert_allclose(rows[NEW.ids["abc"]], table[[ids["a"], ids["##b"], ids["##c"]]].mean(0), atol=1e-6)
    np.testing.assert_allclose(rows[NEW.ids["##bc"]], table[[ids["##b"], ids["##c"]]].mean(0), atol=1e-6)


def test_a_piece_that_the_old_vocabulary_cannot_write_gets_the_mean_of_all_ordinary_rows(tmp_path):
    before = random_model(tmp_path, OLD)
    after = grown(before, store_with(tmp_path, NEW), ignore)
    ordinary = [number for number in range(OLD.size) if number not in OLD.special_ids]
    np.testing.assert_allclose(after.arrays[TABLE][NEW.ids["ω"]], before.arrays[TABLE][ordinary].mean(0), atol=1e-6)


def test_the_bias_of_a_new_piece_follows_from_how_often_it_and_its_old_pieces_occur(tmp_path):
    before = random_model(tmp_path, OLD)
    after = grown(before, store_with(tmp_path, NEW), ignore)
    bias, counts = before.arrays[BIAS], {piece: count + 1 for piece, count in COUNTS.items()}  # one is added to each
    # cut in the old way, each `abc` was a, ##b, ##c, and each `##bc` was ##b, ##c
    old = {"a": counts["a"] + counts["abc"]} | {
        piece: counts[piece] + counts["abc"] + counts["##bc"] for piece in ("##b", "##c")
    }
    parts = [bias[OLD.ids[piece]] + math.log(counts["##bc"] / old[piece]) for piece in ("##b", "##c")]
    assert after.arrays[BIAS][NEW.ids["##bc"]] == pytest.approx(np.mean(parts), rel=1e-5)
    parts = [bias[OLD.ids[piece]] + math.log(counts["abc"] / old[piece]) for piece in ("a", "##b", "##c")]
    assert after.arrays[BIAS][NEW.ids["abc"]] == pytest.approx(np.mean(parts), rel=1e-5)


def test_new_pieces_in_unused_slots_change_those_rows_alone(tmp_path):
    old = Vocabulary((*OLD.pieces[:5], "[unused0]", "[unused1]", *OLD.pieces[5:]), lowercase=True)
    new = Vocabulary((*OLD.pieces[:5], "abc", "[unused1]", *OLD.pieces[5:]), lowercase=True)
    before = random_model(tmp_path, old)
    after = start_of(settings_of(tmp_path), store_with(tmp_path, new), ignore).checkpoint
    assert after.config == before.config
    changed = np.flatnonzero((after.arrays[TABLE] != before.arrays[TABLE]).any(1))
    assert changed.tolist() == [5]
    np.testing.assert_allclose(
        after.arrays[TABLE][5], before.arrays[TABLE][[old.ids["a"], old.ids["##b"], old.ids["##c"]]].mean(0), atol=1e-6
    )


def test_a_grown_model_is_told_with_its_counts_and_trains(tmp_path):
    random_model(tmp_path, OLD)
    store, events = store_with(tmp_path, NEW), []
    settings = settings_of(tmp_path)
    start = start_of(settings, store, events.append)
    made = workload_of(settings, store, start, objective_of(settings, store))
    assert made.model.bert.embeddings.pieces.shape[0] == NEW.size
    notes = {event.code: event.values for event in events}
    assert notes["vocabulary-grown"] == {"count": 3, "mean": 2, "other": 1, "rows": NEW.size, "before": OLD.size}
    assert "weights-kept" in notes
    np.testing.assert_array_equal(to_arrays(made.model)[TABLE], start.checkpoint.arrays[TABLE])


def test_a_kept_vocabulary_keeps_every_weight(tmp_path):
    before = random_model(tmp_path, OLD)
    events = []
    start = start_of(settings_of(tmp_path), store_with(tmp_path, OLD), events.append)
    assert start.config == before.config
    assert [event.code for event in events] == ["weights-kept"]
    assert all(np.array_equal(start.checkpoint.arrays[name], array) for name, array in before.arrays.items())


def test_a_table_with_spare_rows_takes_the_new_pieces_into_them(tmp_path):
    random_model(tmp_path, OLD, rows=OLD.size + 16)
    start = start_of(settings_of(tmp_path), store_with(tmp_path, NEW), ignore)
    assert start.config.vocab_size == OLD.size + 16
    assert not np.allclose(start.checkpoint.arrays[TABLE][NEW.ids["abc"]], 0)


@pytest.mark.parametrize(
    ("pieces", "number", "told"),
    [
        ((*OLD.pieces[:7], "other", *OLD.pieces[8:]), 7, "'w2' in the model and 'other'"),
        ((*OLD.pieces[:9], OLD.pieces[10], OLD.pieces[9], *OLD.pieces[11:]), 9, "'w4' in the model and 'w5'"),
        (OLD.pieces[:-1], OLD.size - 1, "'##c' in the model and nothing"),
    ],
    ids=["another piece", "another order", "too few"],
)
def test_a_wrong_vocabulary_is_refused_by_the_first_piece_that_differs(tmp_path, pieces, number, told):
    random_model(tmp_path, OLD)
    store = store_with(tmp_path, Vocabulary(pieces, lowercase=True))
    with pytest.raises(ConfigError) as refused:
        start_of(settings_of(tmp_path), store, ignore)
    assert refused.value.code == "another-vocabulary"
    assert f"piece {number} is {told}" in refused.value.text("en")
    assert "词片" in refused.value.text("zh")


def test_a_wrong_vocabulary_and_a_wrong_length_are_told_at_once(tmp_path):
    random_model(tmp_path, OLD)
    store = store_with(tmp_path, Vocabulary(OLD.pieces[:-1], lowercase=True))
    with pytest.raises(ConfigError) as refused:
        start_of(settings_of(tmp_path, max_seq_length=64), store, ignore)
    assert {refused.value.code, *(also.code for also in refused.value.also)} == {"another-vocabulary", "too-few-positions"}


def test_a_text_prepared_with_another_treatment_of_case_is_told(tmp_path):
    before, events = random_model(tmp_path, OLD), []
    grown(before, store_with(tmp_path, dataclasses.replace(OLD, lowercase=False)), events.append)
    assert [event.code for event in events] == ["prepared-otherwise"]
    assert vocabulary_fault(before.config, OLD, make_store(tmp_path / "other"), tmp_path).code == "another-vocabulary"
