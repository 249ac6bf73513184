import lzma
import os
from pathlib import Path

import pytest

from bertsmith.data.examples import labelled_examples
from bertsmith.data.settings import TableSettings
from bertsmith.data.splits import leaks
from bertsmith.data.table_columns import Columns, infer_columns
from bertsmith.data.tables import read_table

FOLDER = os.environ.get("BERTSMITH_DATA")
pytestmark = pytest.mark.skipif(not FOLDER, reason="BERTSMITH_DATA names no folder of real data")


def unpacked(tmp_path, name, encoding="utf-8"):
    text = lzma.decompress((Path(FOLDER) / f"{name}.xz").read_bytes()).decode()
    path = tmp_path / name.replace("/", "_")
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    ("name", "rows", "columns"),
    [
        ("en/glue_sst2/dev.tsv", 872, Columns("sentence", None, "label")),
        ("en/glue_mrpc/dev.tsv", 408, Columns("sentence1", "sentence2", "label")),
        ("zh/chnsenticorp/dev.tsv", 1200, Columns("text_a", None, "label")),
        ("zh/chnsenticorp/ChnSentiCorp_htl_all.csv", 7766, Columns("review", None, "label")),
        ("zh/lcqmc/dev.tsv", 8802, Columns("text_a", "text_b", "label")),
    ],
)
def test_published_tables_are_read_whole(tmp_path, name, rows, columns):
    table = read_table(unpacked(tmp_path, name), TableSettings())
    assert len(table.rows) == rows
    assert infer_columns(table, TableSettings()) == columns


def test_a_gb18030_table_reads_as_its_utf8_twin(tmp_path):
    name = "zh/chnsenticorp/ChnSentiCorp_htl_all.csv"
    twin = read_table(unpacked(tmp_path, name), TableSettings())
    found = read_table(unpacked(tmp_path, name, "gb18030"), TableSettings())
    assert (found.encoding, found.rows) == ("gb18030", twin.rows)


def test_the_known_leak_of_chnsenticorp_is_counted(tmp_path):
    sides = []
    for side in ("train", "dev", "test"):
        table = read_table(unpacked(tmp_path, f"zh/chnsenticorp/{side}.tsv"), TableSettings())
        sides.append(labelled_examples(table, infer_columns(table, TableSettings())))
    found = leaks(*sides)
    assert (found.dev_in_train, found.test_in_train) == (338, 331)
