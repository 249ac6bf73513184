"""From Chinese text to masked instances: what is hidden are jieba's own words, each whole."""

import re

import numpy as np
import pytest

from bertsmith.data.instance_recipe import training_instances
from bertsmith.data.instance_settings import InstanceSettings, Objective
from bertsmith.data.settings import PrepareSettings
from bertsmith.data.token_store import TokenStore
from bertsmith.jobs.prepare import prepare
from bertsmith.text.vocabulary import SPECIAL, Vocabulary

SENTENCES = (
    "中国人民银行今天发布了最新的货币政策报告。",
    "北京大学的学生们正在图书馆里学习自然语言处理。",
    "天气预报说明天下午可能会有雷阵雨，请大家带好雨伞。",
    "这家餐厅的服务态度非常好，价格也很便宜。",
    "科学家在实验室里发现了一种新的材料。",
    "他每天早上六点钟起床，然后去公园跑步。",
    "高速公路上发生了一起交通事故，幸好没有人员伤亡。",
    "医生建议病人多休息，多喝水，按时吃药。",
)
CHARACTERS = sorted(set("".join(SENTENCES)))
PARTS = 2


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    pytest.importorskip("jieba")
    place = tmp_path_factory.mktemp("chinese")
    Vocabulary((*SPECIAL, *CHARACTERS), lowercase=True).write(place / "vocabulary")
    random = np.random.default_rng(0)
    documents = ["\n".join(random.choice(SENTENCES, 12)) for _ in range(40)]
    (place / "text.txt").write_text("\n\n".join(documents), encoding="utf-8")
    prepare(
        PrepareSettings(
            corpus=place / "text.txt",
            vocabulary=place / "vocabulary",
            output=place / "store",
            words="jieba",
            held_out=0.0,
            repeated_lines="keep",
        ),
        given={},
    )
    return TokenStore.open(place / "store")


def words_of(text):
    """Bounds of jieba's words, run of Chinese by run; the first and the last run may be cut, and are left out."""
    import jieba

    bounds = []
    for run in list(re.finditer("[一-鿿]+", text))[1:-1]:
        first = run.start()
        for word in jieba.cut(run.group()):
            bounds.append((first, first + len(word)))
            first += len(word)
    return bounds


def hidden_shares(store, unit):
    """Of every word of two characters or more in the instances of some epochs: which share of it is hidden."""
    settings = InstanceSettings(mask_unit=unit, max_seq_length=96, masked_share=0.2)
    instances = training_instances(settings, store, Objective.MLM_NSP)
    pieces, shares = store.vocabulary.pieces, []
    for epoch in range(8):
        batch = instances.batch(epoch, range(instances.count(epoch)))
        ids_T, hidden_T = batch.ids_T.copy(), np.zeros(batch.tokens, bool)
        ids_T[batch.masked_M], hidden_T[batch.masked_M] = batch.labels_M, True
        for first, last in zip(batch.cu_seqlens, batch.cu_seqlens[1:]):
            for part in range(PARTS):
                rows = first + np.flatnonzero(batch.segments_T[first:last] == part)
                rows = rows[[pieces[i] not in SPECIAL for i in ids_T[rows]]]
                text = "".join(pieces[i] for i in ids_T[rows])
                assert len(text) == len(rows)  # a character a token
                shares += [hidden_T[rows[a:b]].mean() for a, b in words_of(text) if b - a > 1]
    return np.array(shares)


def test_words_of_jieba_are_hidden_whole_or_not_at_all(store):
    shares = hidden_shares(store, "word")
    assert len(shares) > 2000
    assert set(shares) == {0.0, 1.0}
    assert shares.mean() == pytest.approx(0.2, abs=0.05)


def test_single_tokens_tear_such_words_apart(store):
    shares = hidden_shares(store, "token")
    assert ((shares > 0) & (shares < 1)).mean() > 0.2
