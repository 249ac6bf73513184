import pytest


@pytest.fixture(autouse=True)
def english(monkeypatch):
    for name in ("BERTSMITH_LANG", "LC_ALL", "LC_MESSAGES", "LANG", "BERTSMITH_DEBUG"):
        monkeypatch.delenv(name, raising=False)
