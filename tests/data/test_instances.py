"""Instance i of epoch e under seed s is a pure function of (s, e, i, store)."""

import multiprocessing
import random
import shutil

import numpy as np
import pytest
from naive_masks import naive_mask
from naive_pairs import documents_of, naive_epoch

from bertsmith.data import instances as instances_module
from bertsmith.data.corpus import HELD_OUT, Document
from bertsmith.data.instance_settings import Objective, Procedure, Unit
from bertsmith.data.instances import GROUP, Instances
from bertsmith.data.masking import MaskRules
from bertsmith.data.pairs import CHECKPOINT, PairRules
from bertsmith.data.token_store import TokenStore, write_store
from bertsmith.text.vocabulary import SPECIAL, Vocabulary

WORDS = tuple(f"w{n}" for n in range(300))
VOCABULARY = Vocabulary((*SPECIAL, *WORDS, "##x", "##y"), lowercase=True)
NSP, SOP, MLM = Objective
ENDS = ("", "", "x", "xy")
LONGEST_DOCUMENT = 900  # sentences, so that it has more instances than lie between two checkpoints


def documents():
    """Documents of one, two and many sentences, some of them longer than any sequence, and one very long document."""
    rng = random.Random(5)
    for n in range(90):
        count = LONGEST_DOCUMENT if n == 20 else rng.choice((1, 1, 2, 2, 3, 8, 40))
        longest = 4 if n == 20 else 20
        sentences = tuple(
            " ".join(
                word + rng.choice(ENDS)
                for word in rng.choices(WORDS, k=rng.randint(130, 400) if rng.random() < 0.02 else rng.randint(1, longest))
            )
            for _ in range(count)
        )
        yield Document(sentences, "x", HELD_OUT if n % 9 == 4 else "train")


def write(folder, shard_tokens):
    return write_store(documents(), VOCABULARY, folder, shard_tokens=shard_tokens, origin={"n": 1})


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """The same documents in one shard, in five, and in more than are shuffled together."""
    folder = tmp_path_factory.mktemp("stores")
    made = {name: write(folder / name, tokens) for name, tokens in (("one", 10**9), ("five", 5000), ("many", 400))}
    assert [len(made[name].shards("train")) for name in ("one", "five")] == [1, 5]
    assert len(made["many"].shards("train")) > 2 * GROUP
    return made


def instances_of(
    store, max_seq_length=16, objective=NSP, seed=0, split="train", share=0.15, unit=Unit.TOKEN, procedure=Procedure.PAPER
):
    return Instances(
        store,
        split,
        PairRules(max_seq_length, 0.1, objective, seed, procedure, copies=3),
        MaskRules(share, store.vocabulary.size, store.vocabulary.mask, seed, unit),
    )


def naive_list(instances, epoch):
    return [
        instance
        for shard in instances.shards
        for instance in naive_epoch(documents_of(shard), shard.first_document, instances.pair_rules, epoch)
    ]


def listed(instances, epoch):
    """The two parts and the label of every instance of an epoch, in the order of their numbers."""
    number, ranges = instances.ranges(epoch, np.arange(instances.count(epoch)))
    tokens = [shard.tokens.tolist() for shard in instances.shards]
    return [(tokens[s][a:b], tokens[s][c:d], bool(label)) for s, a, b, c, d, label, _ in zip(number, *ranges, strict=True)]


def unpacked(batch):
    """Number of the instance → its tokens, segments, places to predict, what stood there, and its label."""
    found = {}
    for place, index in enumerate(batch.order_B.tolist()):
        first, last = batch.cu_seqlens[place : place + 2]
        here = (batch.masked_M >= first) & (batch.masked_M < last)
        found[index] = (
            batch.ids_T[first:last].tolist(),
            batch.segments_T[first:last].tolist(),
            (batch.masked_M[here] - first).tolist(),
            batch.labels_M[here].tolist(),
            batch.targets_B[place : place + 1].tolist(),
        )
    assert len(found) == batch.sequences
    return found


def whole(instances, epoch):
    return unpacked(instances.batch(epoch, range(instances.count(epoch))))


@pytest.mark.parametrize("procedure", Procedure)
@pytest.mark.parametrize("objective", Objective)
@pytest.mark.parametrize("max_seq_length", [16, 128])
@pytest.mark.parametrize("name", ["one", "five"])
def test_the_whole_list_of_an_epoch_is_the_one_of_the_naive_procedure(stores, name, max_seq_length, objective, procedure):
    for seed, epoch in ((0, 0), (0, 7), (2**40 + 1, 1)):
        instances = instances_of(stores[name], max_seq_length, objective, seed, procedure=procedure)
        expected = [(instance.a, instance.b, instance.label) for instance in naive_list(instances, epoch)]
        assert listed(instances, epoch) == expected


@pytest.mark.parametrize("procedure", Procedure)
@pytest.mark.parametrize("unit", Unit)
@pytest.mark.parametrize("objective", Objective)
def test_the_batch_of_a_whole_epoch_is_the_naive_list_framed_and_masked(stores, objective, unit, procedure):
    instances = instances_of(stores["five"], 32, objective, seed=3, unit=unit, procedure=procedure)
    first, separator = VOCABULARY.first, VOCABULARY.separator
    copy = 1 if procedure is Procedure.GOOGLE else 4
    expected = {}
    for index, instance in enumerate(naive_list(instances, 4)):
        ids = [first, *instance.a, separator, *([*instance.b, separator] if instance.b else [])]
        segments = [0] * (len(instance.a) + 2) + ([1] * (len(instance.b) + 1) if instance.b else [])
        starts = VOCABULARY.starts_word[ids].tolist()
        masked = naive_mask(ids, {first, separator}, copy, index, instances.mask_rules, starts)
        expected[index] = (masked[0], segments, *masked[1:], [int(instance.label)] if instance.b else [])
    assert whole(instances, 4) == expected


def test_a_document_of_many_instances_spans_several_checkpoints(stores):
    for shard in stores["one"].shards("train"):
        assert np.diff(shard.documents).max() == LONGEST_DOCUMENT
    naive = naive_list(instances_of(stores["one"]), 0)
    longest = np.bincount([instance.document for instance in naive]).max()
    assert longest > 2 * CHECKPOINT


@pytest.mark.parametrize("name", ["one", "five"])
def test_the_share_of_not_next_is_what_the_naive_procedure_counts(stores, name):
    instances = instances_of(stores[name], 64)
    naive = naive_list(instances, 2)
    assert instances.label_share(2) == pytest.approx(np.mean([instance.label for instance in naive]))
    assert all(instance.label for instance in naive if instance.sentences == 1)
    several = [instance.label for instance in naive if instance.sentences > 1]
    assert abs(np.mean(several) - 0.5) < 4 * 0.5 / np.sqrt(len(several))


def test_a_sampled_share_counts_the_first_positions_of_the_order(stores):
    instances = instances_of(stores["five"])
    batch = instances.batch(0, range(100))
    assert instances.label_share(0, sample=100) == pytest.approx(batch.targets_B.mean())


@pytest.mark.parametrize("name", ["one", "five", "many"])
def test_the_order_of_an_epoch_has_every_instance_once(stores, name):
    instances = instances_of(stores[name])
    count = instances.count(0)
    assert sorted(instances.index_at(0, np.arange(count)).tolist()) == list(range(count))


def test_the_order_differs_between_epochs_and_seeds(stores):
    def order(seed, epoch):
        return instances_of(stores["five"], seed=seed).index_at(epoch, np.arange(300))

    for other in (order(0, 1), order(1, 0), np.arange(300)):
        assert (order(0, 0) == other).mean() < 0.05


def test_groups_of_shards_come_one_after_another_in_an_order_of_their_own(stores):
    instances = instances_of(stores["many"])
    orders = set()
    for epoch in range(3):
        shard, _ = instances.ranges(epoch, instances.index_at(epoch, np.arange(instances.count(epoch))))
        group = shard // GROUP
        visited = group[np.flatnonzero(np.diff(group, prepend=-1))].tolist()
        assert sorted(visited) == list(range(-(-len(instances.shards) // GROUP)))
        assert np.mean(np.diff(shard) < 0) > 0.25  # inside a group shards are mixed
        orders.add(tuple(visited))
    assert len(orders) > 1


@pytest.mark.parametrize("name", ["one", "five", "many"])
def test_a_batch_at_any_position_is_the_slice_of_the_whole(stores, name, monkeypatch):
    instances = instances_of(stores[name])
    everything, order = whole(instances, 1), instances.index_at(1, np.arange(instances.count(1))).tolist()
    monkeypatch.setattr(instances_module, "BLOCK", 100)
    for first, last in ((0, 1), (5, 37), (90, 110), (100, 200), (150, 420), (len(order) - 3, len(order))):
        expected = {index: everything[index] for index in order[first:last]}
        assert unpacked(instances_of(stores[name]).batch(1, range(first, last))) == expected


@pytest.mark.parametrize("unit", Unit)
def test_how_positions_are_blocked_changes_nothing(stores, unit, monkeypatch):
    expected = whole(instances_of(stores["five"], 64, unit=unit), 0)
    monkeypatch.setattr(instances_module, "BLOCK", 7)
    assert whole(instances_of(stores["five"], 64, unit=unit), 0) == expected
    monkeypatch.setattr(instances_module, "BLOCK", 70)
    monkeypatch.setattr(instances_module, "CHUNK_TOKENS", 300)
    assert whole(instances_of(stores["five"], 64, unit=unit), 0) == expected


def test_very_long_sequences_make_small_blocks(stores, monkeypatch):
    expected = whole(instances_of(stores["five"], 64), 0)
    monkeypatch.setattr(instances_module, "BLOCK_TOKENS", 100)
    assert whole(instances_of(stores["five"], 64), 0) == expected


def test_the_order_of_access_changes_nothing(stores):
    count = instances_of(stores["five"]).count(0)
    forward, backward, turned = (instances_of(stores["five"]) for _ in range(3))
    batches = [range(first, min(first + 150, count)) for first in range(0, count, 150)]
    expected = [unpacked(forward.batch(0, positions)) for positions in batches]
    assert [unpacked(backward.batch(0, positions)) for positions in batches[::-1]] == expected[::-1]
    for epoch in (3, 1, 2):  # more epochs than are remembered
        turned.batch(epoch, range(1))
    assert [unpacked(turned.batch(0, positions)) for positions in batches] == expected


def _batches_of_a_process(folder, positions):
    instances = instances_of(TokenStore.open(folder), 64)
    return [unpacked(instances.batch(0, range(first, first + 8))) for first in positions]


def test_the_number_of_processes_changes_nothing(stores, tmp_path):
    folder = shutil.copytree(stores["five"].folder, tmp_path / "store", ignore=shutil.ignore_patterns("memos"))
    firsts = list(range(0, 96, 8))
    with multiprocessing.get_context("spawn").Pool(2) as pool:  # both make the memos at the same time
        shared = pool.starmap(_batches_of_a_process, [(folder, firsts[0::2]), (folder, firsts[1::2])])
    alone = _batches_of_a_process(stores["five"].folder, firsts)
    assert [shared[i % 2][i // 2] for i in range(len(firsts))] == alone


def bytes_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_memo_comes_back_with_the_same_bytes(tmp_path):
    store = write(tmp_path / "store", 5000)
    expected = whole(instances_of(store), 4)
    memos = store.folder / "memos"
    before = bytes_of(memos)
    assert len(before) == 5
    shutil.rmtree(memos)
    assert whole(instances_of(TokenStore.open(store.folder)), 4) == expected
    assert bytes_of(memos) == before


def test_a_memo_that_is_there_is_read_and_serves_as_the_new_one_did(tmp_path, monkeypatch):
    store = write(tmp_path / "store", 5000)
    expected = whole(instances_of(store), 0)
    monkeypatch.setattr(instances_module, "memoise", lambda *_: pytest.fail("walked again"))
    assert whole(instances_of(store), 0) == expected


@pytest.mark.parametrize(
    "change",
    [{"max_seq_length": 17}, {"objective": MLM}, {"seed": 1}, {"split": HELD_OUT}, {"procedure": Procedure.GOOGLE}],
    ids=lambda change: next(iter(change)),
)
def test_other_settings_have_other_memos(tmp_path, change):
    store = write(tmp_path / "store", 10**9)
    instances_of(store).count(0)
    before = bytes_of(store.folder / "memos")
    instances_of(store, **change).count(0)
    after = bytes_of(store.folder / "memos")
    assert len(after) == 2
    assert before.items() <= after.items()


def test_masks_need_no_memo_of_their_own(tmp_path):
    store = write(tmp_path / "store", 10**9)
    instances_of(store).count(0)
    instances_of(store, share=0.3).count(0)
    assert len(bytes_of(store.folder / "memos")) == 1


def test_a_store_that_cannot_be_written_serves_as_well(stores, tmp_path):
    folder = shutil.copytree(stores["five"].folder, tmp_path / "store", ignore=shutil.ignore_patterns("memos"))
    (folder / "memos").write_text("in the way")  # stops the superuser too
    folder.chmod(0o555)
    names = sorted(path.name for path in folder.iterdir())
    assert whole(instances_of(TokenStore.open(folder)), 0) == whole(instances_of(stores["five"]), 0)
    assert sorted(path.name for path in folder.iterdir()) == names
    folder.chmod(0o755)


def test_the_held_out_split_is_walked_on_its_own(stores):
    instances = instances_of(stores["one"], 64, split=HELD_OUT)
    expected = [(instance.a, instance.b, instance.label) for instance in naive_list(instances, 0)]
    assert listed(instances, 0) == expected
    assert 0 < len(expected) < instances_of(stores["one"], 64).count(0)


def test_no_special_token_is_ever_to_be_predicted(stores):
    for objective in Objective:
        for epoch in range(2):
            instances = instances_of(stores["five"], objective=objective)
            batch = instances.batch(epoch, range(instances.count(epoch)))
            assert not np.isin(batch.labels_M, list(VOCABULARY.special_ids)).any()
            assert (batch.ids_T[batch.cu_seqlens[:-1]] == VOCABULARY.first).all()
            assert (batch.ids_T[batch.cu_seqlens[1:] - 1] == VOCABULARY.separator).all()


def test_a_batch_is_packed_from_short_to_long(stores):
    assert (np.diff(np.diff(instances_of(stores["five"], 64).batch(0, range(200)).cu_seqlens)) >= 0).all()
