"""Jobs that only remember what they were asked, so that the command line can be tested alone."""

import sys
from dataclasses import dataclass, field
from types import ModuleType


@dataclass
class FakeResult:
    numbers: dict = field(default_factory=lambda: {"score": 0.5, "text": "好"})

    def lines(self, language):
        return [f"score 0.5 ({language})", "next: bertsmith predict"]


@dataclass
class FakeJob:
    """Remembers the call; emits `events`, then raises `error` if there is one."""

    events: tuple = ()
    error: BaseException | None = None
    settings: object = None
    given: object = None
    language: str = ""

    def __call__(self, settings, *, given, listen, language):
        self.settings, self.given, self.language = settings, dict(given), language
        for event in self.events:
            listen(event)
        if self.error is not None:
            raise self.error
        return FakeResult()


def put_in_place(monkeypatch, verb, job):
    """Let `bertsmith.jobs.<verb>` be a module with `job` in it."""
    module = ModuleType(f"bertsmith.jobs.{verb}")
    setattr(module, verb, job)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return job
