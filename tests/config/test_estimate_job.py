"""`config estimate` from settings to tables, numbers and the report."""

import json
import subprocess
import sys

import numpy as np
import pytest

from bertsmith.cli.main import main
from bertsmith.config.estimate import whole
from bertsmith.config.estimate.memory import training_memory
from bertsmith.config.estimate.parameters import parameters
from bertsmith.config.presets import preset
from bertsmith.data.corpus import Document
from bertsmith.data.token_store import write_store
from bertsmith.errors import ConfigError, DataError
from bertsmith.jobs.config_estimate import config_estimate
from bertsmith.jobs.estimate_settings import ConfigEstimateSettings
from bertsmith.records.run import RunFolder
from bertsmith.text.vocabulary import SPECIAL, Vocabulary

WORDS = tuple(f"w{n}" for n in range(40))
VOCABULARY = Vocabulary((*SPECIAL, *WORDS), lowercase=True)


def estimated(**settings):
    return config_estimate(ConfigEstimateSettings(**settings), given=settings)


@pytest.fixture
def vocabulary(tmp_path):
    (tmp_path / "vocabulary").mkdir()
    VOCABULARY.write(tmp_path / "vocabulary")
    return tmp_path / "vocabulary"


def texts(lengths):
    return [" ".join(WORDS[:length]) for length in lengths]


def test_the_numbers_are_those_of_the_formulas(capsys):
    assert main(["config", "estimate", "mini", "--batch-size", "8", "--max-seq-length", "64", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["parameters"]["pretraining"] == parameters(preset("mini")).pretraining
    assert told["step"] == {"sequences": 8, "tokens": 512, "squares": 8 * 64 * 64, "predicted": 80}
    assert told["flops"]["training"]["total"] == 3 * told["flops"]["forward"]["total"]
    assert told["time"] is None


@pytest.mark.parametrize(("language", "words"), [("en", "Parameters (exact)"), ("zh", "参数（准确值）")])
def test_people_get_tables_in_their_language(capsys, language, words):
    assert main(["config", "estimate", "tiny", "--language", language]) == 0
    out = capsys.readouterr().out
    assert words in out and "4,433,468" in out and "bertsmith pretrain STORE --model tiny" in out
    other = "分配器" if language == "en" else "allocator"
    assert other not in out


def test_no_framework_is_loaded_without_a_measurement():
    code = "import sys; from bertsmith.cli.main import main; main(['config', 'estimate', 'base', '--machine', 't4'])"
    run = subprocess.run(
        [sys.executable, "-c", f"{code}; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"], capture_output=True
    )
    assert run.returncode == 0, run.stderr


def test_a_gpu_is_named_in_any_case_and_its_assumptions_are_told():
    outcome = estimated(model="base", machine="a100-80", precision="bf16")
    assert outcome.numbers["time"]["gpu"] == "A100-80"
    assert any("Assumed" in line for line in outcome.lines("en"))
    assert outcome.numbers["time"]["run"] == pytest.approx(10_000 * outcome.numbers["time"]["step"])


def test_bf16_on_a_gpu_without_it_is_told_as_fp16():
    assert estimated(model="base", machine="T4", precision="bf16").numbers["time"]["format"] == "fp16"


def test_this_machine_is_measured_with_real_steps(tmp_path):
    values = {"vocab_size": 99, "hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 1, "intermediate_size": 32}
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert", "hidden_act": "gelu", **values}))
    outcome = estimated(model=str(tmp_path / "config.json"), machine="here", threads=1, batch_size=2, max_seq_length=16)
    assert outcome.numbers["time"]["steps"] > 0
    assert outcome.numbers["time"]["step"] > 0


def test_recomputation_changes_the_operations_and_is_told():
    plain, again = (estimated(model="mini", recompute=recompute) for recompute in (False, True))
    assert again.numbers["flops"]["training"]["projections"] == pytest.approx(
        plain.numbers["flops"]["training"]["projections"] * 4 / 3
    )
    assert "recomputed" in again.lines("en")[0]


def test_dropout_is_that_of_the_recipe():
    lean, google = (estimated(model="mini", recipe=recipe).numbers["memory"]["training"] for recipe in ("lean", "google-2018"))
    assert lean["layers"] < google["layers"]


def test_a_token_store_gives_its_real_lengths_and_vocabulary(tmp_path):
    random = np.random.default_rng(0)
    documents = [Document(tuple(texts(random.integers(3, 12, 6).tolist())), f"made:{n}", "train") for n in range(30)]
    write_store(documents, VOCABULARY, tmp_path / "store", shard_tokens=10_000, origin={})
    numbers = estimated(model="tiny", data=tmp_path / "store", max_seq_length=32).numbers
    assert 8 < numbers["lengths"]["mean"] < 32 and numbers["lengths"]["longest"] <= 32
    assert numbers["config"]["vocab_size"] == VOCABULARY.size


def write_table(folder, kind, rows):
    path = folder / f"data.{kind}"
    if kind == "txt":
        path.write_text("\n".join(rows) + "\n")
    elif kind == "jsonl":
        path.write_text("".join(json.dumps({"text": row, "label": "a"}) + "\n" for row in rows))
    else:
        mark = {"csv": ",", "tsv": "\t"}[kind]
        path.write_text(f"text{mark}label\n" + "".join(f"{row}{mark}{'ab'[i % 2]}\n" for i, row in enumerate(rows)))
    return path


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "txt"])
def test_every_kind_of_file_gives_its_real_lengths(tmp_path, vocabulary, kind):
    path = write_table(tmp_path, kind, texts([4, 10, 16, 30]))
    numbers = estimated(model="tiny", data=path, vocabulary=vocabulary, max_seq_length=20).numbers
    assert numbers["lengths"] == {"mean": (6 + 12 + 18 + 20) / 4, "longest": 20, "sampled": 4}


def test_texts_without_a_vocabulary_are_an_error_that_names_the_flag(tmp_path):
    path = write_table(tmp_path, "txt", texts([4]))
    with pytest.raises(DataError, match="--vocabulary") as caught:
        estimated(model="tiny", data=path)
    assert caught.value.code == "lengths-need-vocabulary"


def test_data_that_are_not_there_are_an_error(tmp_path):
    with pytest.raises(DataError, match="give --data a token store") as caught:
        estimated(model="tiny", data=tmp_path / "nothing.csv")
    assert caught.value.code == "no-such-data" and "没有这个文件" in caught.value.text("zh")


def test_a_folder_that_is_no_store_is_an_error(tmp_path):
    with pytest.raises(DataError, match="no token store"):
        estimated(model="tiny", data=tmp_path)


def test_an_unknown_machine_gets_the_nearest_one():
    with pytest.raises(ConfigError, match="did you mean 'A100-80'"):
        ConfigEstimateSettings(model="tiny", machine="A100-8")


def test_an_unknown_machine_is_told_by_its_flag_with_the_choices(capsys):
    assert main(["config", "estimate", "tiny", "--machine", "foo"]) == 2
    told = capsys.readouterr().err
    assert "--machine: machine is 'foo'" in told and "use here for this machine, or one of the GPUs T4, " in told


@pytest.mark.parametrize("flag", ["--steps", "--batch-size", "--max-seq-length", "--micro-batch-tokens", "--threads"])
def test_numbers_without_end_are_out_of_bounds(flag, capsys):
    assert main(["config", "estimate", "tiny", "--machine", "T4", flag, "1" + "0" * 310]) == 2
    assert f"{flag}: {flag[2:].replace('-', '_')} is 1.00e+310 [out-of-bounds]" in capsys.readouterr().err


def test_sequences_of_one_length_are_counted_together(monkeypatch):
    seen = []
    monkeypatch.setattr(whole, "training_memory", lambda *given: seen.append(given) or training_memory(*given))
    outcome = estimated(model="tiny", batch_size=2**16, max_seq_length=8, micro_batch_tokens=16, steps=10**9, machine="T4")
    assert outcome.numbers["step"]["tokens"] == 2**19
    assert len(seen) == 1


def test_all_faults_of_the_settings_are_told_at_once():
    with pytest.raises(ConfigError) as caught:
        ConfigEstimateSettings(model="tiny", machine="abacus", batch_size=0, precision="fp4")
    assert {fault.code for fault in (caught.value, *caught.value.also)} == {
        "unknown-machine",
        "out-of-bounds",
        "unknown-choice",
    }


def test_a_length_beyond_the_positions_of_a_config_file_is_an_error(tmp_path):
    values = {"vocab_size": 99, "hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 1, "intermediate_size": 32}
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"model_type": "bert", "hidden_act": "gelu", "max_position_embeddings": 64, **values}))
    with pytest.raises(ConfigError, match="64 positions") as caught:
        estimated(model=str(file), max_seq_length=128)
    assert caught.value.code == "length-beyond-positions"


def test_the_report_has_the_picture_and_the_numbers_and_can_be_written_again(tmp_path):
    for _ in range(2):
        outcome = estimated(model="mini", machine="L4", output=tmp_path / "run")
    html = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert html.count('class="bar"') == 3 + 3 + 4
    assert "11,267,900" in html and "分配器空洞" in html
    numbers, page = RunFolder(tmp_path / "run").read_result()
    assert numbers["parameters"]["pretraining"] == 11_267_900
    assert f"report: {tmp_path / 'run' / 'report.html'}" in outcome.lines("en")
    assert page.title.en == "What mini costs"
