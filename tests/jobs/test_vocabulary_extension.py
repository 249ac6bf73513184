"""A model goes on with the text of a domain and an extended vocabulary, by the command line, in English and in Chinese."""

import json
from pathlib import Path

import pytest
from tiny_job import LENGTH, QUICK, bertsmith, done, pieces_of, write_corpus

BOTH = pytest.mark.parametrize("language", ["en", "zh"])
WORDS = {"en": ("myocarditis", "stenosis", "xerosis"), "zh": ("痰", "疹", "癣")}


@pytest.fixture
def made(language, request):
    return request.getfixturevalue({"en": "english", "zh": "chinese"}[language])


def domain(made, language, place):
    """The corpus of the model with words in it that it has not seen."""
    corpus = write_corpus(place / "domain", language)
    for number, path in enumerate(sorted(corpus.iterdir())):
        lines = path.read_text(encoding="utf-8").splitlines()
        word, end = WORDS[language][number % 3], "." if language == "en" else "。"
        text = f"\n{word} {word}{end}\n".join(lines) + "\n"
        path.write_text(text, encoding="utf-8")
    return corpus


@BOTH
def test_a_model_grows_by_the_words_of_a_domain_and_tells_what_it_forgets(made, language, tmp_path):
    corpus, vocabulary, store, output = (
        domain(made, language, tmp_path),
        tmp_path / "more",
        tmp_path / "store",
        tmp_path / "run",
    )
    model = made.pretrained / "model"
    told = done("vocab", corpus, "--extend", model, "--add", 3, "--output", vocabulary, language=language)
    assert all(word in told.out for word in WORDS[language])
    assert {"en": "fewer tokens", "zh": "词元减少"}[language] in told.out
    assert "[UNK]" in told.out
    extension = json.loads((vocabulary / "extension.json").read_text(encoding="utf-8"))
    assert {one["piece"] for one in extension["new"]} == set(WORDS[language])
    assert extension["old"]["pieces"] == pieces_of(model)
    assert pieces_of(vocabulary) == pieces_of(model) + 3

    done("prepare", corpus, "--vocabulary", vocabulary, "--output", store, "--held-out", 0.4)
    done("prepare", made.corpus, "--vocabulary", vocabulary, "--output", tmp_path / "general", "--held-out", 0.4)
    command = ("pretrain", store, "--model", model, "--general", tmp_path / "general", "--output", output)
    answer = done(*command, "--steps", 4, "--batch-size", 4, *LENGTH, *QUICK, language=language)
    assert {"en": "3 new pieces", "zh": "新增 3 个词片"}[language] in answer.err
    assert {"en": "before the first step", "zh": "第一步之前"}[language] in answer.out
    assert {"en": "general text", "zh": "通用文本"}[language] in answer.out
    scores = json.loads((output / "result.json").read_text(encoding="utf-8"))["numbers"]["scores"]
    general = {score["metric"]: score for score in scores if score["split"] == "general"}
    assert general.keys() == {"mlm_loss", "mlm_accuracy", "bits_per_character"}
    assert general["mlm_loss"]["baseline"][0] == "before"
    assert {"en": "general text", "zh": "通用文本"}[language] in (output / "report.html").read_text(encoding="utf-8")
    assert pieces_of(output / "model") == pieces_of(model) + 3

    again = done(*command, "--steps", 4, "--batch-size", 4, *LENGTH, *QUICK, language=language)
    assert again.out == answer.out


def test_a_general_text_in_the_old_vocabulary_is_refused_for_a_grown_one(english, tmp_path):
    corpus, vocabulary, store = domain(english, "en", tmp_path), tmp_path / "more", tmp_path / "store"
    done("vocab", corpus, "--extend", english.vocabulary, "--add", 2, "--output", vocabulary)
    done("prepare", corpus, "--vocabulary", vocabulary, "--output", store, "--held-out", 0.4)
    command = ("pretrain", store, "--model", english.pretrained / "model", "--general", english.store)
    refused = bertsmith(*command, "--output", tmp_path / "run", *LENGTH)
    assert refused.code == 3
    assert "where the vocabulary was extended, both need it" in refused.err


def test_a_vocabulary_that_is_learned_anew_leaves_no_word_of_an_extension(english, tmp_path):
    corpus, place = domain(english, "en", tmp_path), tmp_path / "vocabulary"
    done("vocab", corpus, "--extend", english.vocabulary, "--add", 2, "--output", place)
    done("vocab", corpus, "--size", 200, "--output", place)
    assert {path.name for path in Path(place).iterdir()} == {"vocab.txt", "tokenizer.json", "tokenizer_config.json"}


@pytest.mark.parametrize(
    ("flags", "code"),
    [(("--add", 3), "needs-flag"), (("--into-unused",), "needs-flag"), (("--extend", "X", "--size", 200), "excluding-flags")],
)
def test_flags_without_effect_are_refused(english, tmp_path, flags, code):
    words = [english.vocabulary if flag == "X" else flag for flag in flags]
    refused = bertsmith("vocab", english.corpus, *words, "--output", tmp_path / "vocabulary")
    assert refused.code == 2
    assert code in refused.err
