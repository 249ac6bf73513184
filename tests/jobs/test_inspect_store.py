"""`inspect` of a token store: what `pretrain` would see with the same settings, as text, as numbers and as a page."""

import json

import numpy as np
import pytest

import bertsmith
from bertsmith.data.corpus import Document
from bertsmith.data.instance_recipe import training_instances
from bertsmith.data.instance_settings import Objective
from bertsmith.data.instance_statistics import instance_statistics, store_statistics
from bertsmith.data.token_store import write_store
from bertsmith.errors import DataError
from bertsmith.jobs.convert_settings import InspectSettings
from bertsmith.jobs.inspect_statistics import lines_of, page_of, rows_of
from bertsmith.records.page import Chart, from_json, to_json
from bertsmith.text.vocabulary import SPECIAL, Vocabulary
from bertsmith.training.pretraining.run import start_of, workload_of
from bertsmith.training.pretraining.settings import PretrainSettings

WORDS = tuple(f"w{n}" for n in range(60))
VOCABULARY = Vocabulary((*SPECIAL, *WORDS, "##x"), lowercase=True)
FLAGS = {
    "objective": "mlm+sop",
    "pairs": "google-2018",
    "mask_unit": "span",
    "masked_share": 0.3,
    "replaced_share": 0.7,
    "kept_share": 0.2,
    "max_seq_length": 48,
    "seed": 3,
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    random = np.random.default_rng(0)
    documents = [
        Document(
            tuple(" ".join(random.choice(WORDS) + random.choice(["", "x"]) for _ in range(9)) for _ in range(n % 4 + 1)), f"{n}"
        )
        for n in range(80)
    ]
    folder = tmp_path_factory.mktemp("inspected") / "store"
    return write_store(documents, VOCABULARY, folder, shard_tokens=10**6, origin={})


def test_what_is_shown_is_what_pretrain_sees_with_the_same_settings(store, tmp_path):
    numbers = bertsmith.inspect(store.folder, count=12, epoch=1, **FLAGS).numbers
    settings = PretrainSettings(store=store.folder, output=tmp_path, model="tiny", **FLAGS)
    workload = workload_of(settings, store, start_of(settings, store, lambda event: None), Objective.MLM_SOP)
    batch = workload.instances.batch(1, range(12))
    shown = {one["index"]: one for one in numbers["shown"]}
    for place, index in enumerate(batch.order_B.tolist()):
        here = batch.ids_T[batch.cu_seqlens[place] : batch.cu_seqlens[place + 1]]
        text = shown[index]["text"].replace("⟦", "").replace("⟧", "").split()
        assert text == [VOCABULARY.pieces[i] for i in here]
        assert shown[index]["label"] == batch.targets_B[place]
    assert numbers["objective"] == "mlm+sop"


@pytest.mark.parametrize(
    ("objective", "names"), [("mlm+nsp", {"next", "not next"}), ("mlm+sop", {"in order", "swapped"}), ("mlm", {""})]
)
def test_each_instance_is_told_with_its_kind(store, objective, names):
    told = bertsmith.inspect(store.folder, count=30, objective=objective).lines("en")
    assert {line.partition("  ")[2] for line in told if line.startswith("#")} == names


def test_the_statistics_are_those_of_the_instances_and_of_the_store(store):
    numbers = bertsmith.inspect(store.folder, sampled=25, **FLAGS).numbers["statistics"]
    settings = InspectSettings(path=store.folder, **FLAGS)
    found = instance_statistics(training_instances(settings, store, Objective.MLM_SOP), 0, 25)
    assert (numbers["instances"], numbers["tokens"], numbers["lengths"]) == (25, found.tokens, found.lengths)
    assert numbers["one_sentence_documents"] == store_statistics(store).one_sentence_documents == 0.25
    json.dumps(numbers)


@pytest.mark.parametrize(
    ("language", "names"), [("en", ("not next", "fill", "expected")), ("zh", ("非下一句", "填充率", "预期"))]
)
def test_a_table_tells_the_statistics_beside_what_is_expected(store, language, names):
    told = bertsmith.inspect(store.folder, mask_unit="word").lines(language)
    for name in names:
        assert any(name in line for line in told)
    (whole,) = [line for line in told if "of several pieces" in line or "多词片" in line]
    assert whole.split()[-2:] == ["100.0%", "100.0%"]


def test_the_next_command_trains_on_what_was_shown(store):
    outcome = bertsmith.inspect(store.folder, mask_unit="span", max_seq_length=64)
    assert outcome.following[0].endswith("--mask-unit span --max-seq-length 64")


@pytest.mark.parametrize("unit", ["token", "span"])
def test_the_page_draws_lengths_predictions_and_runs(store, unit):
    settings = InspectSettings(path=store.folder, mask_unit=unit)
    found = instance_statistics(training_instances(settings, store, Objective.MLM_NSP), 0, 50)
    rows = rows_of(found, store_statistics(store), settings, Objective.MLM_NSP)
    assert len(lines_of(rows)) == len(rows) + 1
    page = page_of(rows, found, settings, [])
    assert from_json(to_json(page)) == page
    charts = [item for section in page.sections for item in section.items if isinstance(item, Chart)]
    assert len(charts) == 3
    for chart in charts:
        assert sum(chart.series[0].ys) == pytest.approx(1)
    assert len(charts[2].series) == (2 if unit == "span" else 1)


def test_the_report_is_one_file_in_the_readers_language(store, tmp_path):
    report = tmp_path / "report.html"
    bertsmith.inspect(store.folder, report=report, sampled=40)
    text = report.read_text("utf-8")
    assert "Pretraining instances" in text
    assert "预训练样本" in text
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_whole_words_of_chinese_without_word_starts_are_refused_here_as_in_pretraining(tmp_path):
    vocabulary = Vocabulary((*SPECIAL, *"天地人和"), lowercase=True)
    documents = [Document(("天地人和", "人和"), f"{n}") for n in range(4)]
    folder = write_store(documents, vocabulary, tmp_path / "store", shard_tokens=100, origin={}).folder
    with pytest.raises(DataError) as refused:
        bertsmith.inspect(folder, mask_unit="word")
    assert refused.value.code == "no-word-starts"
