"""Every published config is read, or refused for what it is, and comes back from every other form as it was."""

import json

import pytest
from published import BERTS, FOLDER, NEEDED, OTHERS

from bertsmith.config.formats import FORMS, config_from_values, read_config_file, write_config
from bertsmith.errors import ConfigError

pytestmark = NEEDED


def test_the_list_is_that_of_the_folder():
    assert {path.name for path in FOLDER.iterdir()} == BERTS.keys() | OTHERS.keys()


@pytest.mark.parametrize("name", BERTS)
def test_a_published_bert_is_read_with_its_form_and_its_gelu(name):
    form, gelu, origin, vocab_size, (layers, width, heads, pieces) = BERTS[name]
    read = read_config_file(FOLDER / name, vocab_size=vocab_size)
    config = read.config
    assert (read.form, config.hidden_act, read.gelu.activation, read.gelu.origin) == (form, gelu, gelu, origin)
    shape = (config.num_hidden_layers, config.hidden_size, config.num_attention_heads, config.vocab_size)
    assert shape == (layers, width, heads, pieces)
    assert (config.intermediate_size, config.type_vocab_size, config.max_position_embeddings) == (4 * width, 2, 512)


@pytest.mark.parametrize("name", OTHERS)
def test_a_published_network_of_another_kind_is_refused_by_its_name(name):
    with pytest.raises(ConfigError) as caught:
        read_config_file(FOLDER / name)
    assert caught.value.code == "other-network"
    assert f"this is {OTHERS[name]}, not a BERT" in str(caught.value)
    assert f"这是 {OTHERS[name]}，不是 BERT" in caught.value.text("zh")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", BERTS)
def test_a_published_config_comes_back_from_every_form_as_it_was(name, form):
    vocab_size = BERTS[name][3]
    read = read_config_file(FOLDER / name, vocab_size=vocab_size)
    there = json.loads(json.dumps(write_config(read.config, form, read)[0]))
    told = vocab_size if form == read.form else None
    found = config_from_values(there, where=name, vocab_size=told)
    assert (found.form, found.config) == (form, read.config)
    back, _ = write_config(found.config, read.form, found)
    assert back == json.loads((FOLDER / name).read_text("utf-8"))


def test_a_padding_id_of_one_does_not_make_a_roberta_of_a_bert():
    assert read_config_file(FOLDER / "chinese_roberta_wwm_ext.hf.json").config.pad_token_id == 1
