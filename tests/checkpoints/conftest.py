import os

os.environ["HF_HUB_OFFLINE"] = "1"  # read by transformers when it is imported

from pathlib import Path

import pytest
from tiny_checkpoint import checkpoint

from bertsmith.checkpoints.folder import write_model_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model folder with every pretraining head."""
    write_model_folder(tmp_path / "model", checkpoint(), language="en", card={"title": "Tiny"})
    return tmp_path / "model"
