"""Running `wangge` inside the test process."""

import json
from typing import Any

import pytest

from web.cli import main


class CommandLine:
    """Runs commands on one store and keeps what the last one printed."""

    def __init__(self, capsys: pytest.CaptureFixture[str], store: Any) -> None:
        self._capsys = capsys
        self.store = str(store)
        self.out = ""
        self.err = ""

    def run(self, *arguments: Any) -> int:
        """Exit code of one command on the store; never a trace."""
        self._capsys.readouterr()
        status = main([*map(str, arguments), "--store", self.store])
        self.out, self.err = self._capsys.readouterr()
        assert "Traceback" not in self.err
        assert status != 3, self.err
        return status

    def json(self, *arguments: Any) -> Any:
        """What a command that must succeed prints as JSON."""
        assert self.run(*arguments, "--json") == 0, self.err
        return json.loads(self.out)


def use_chinese(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """A Chinese terminal with a log folder of its own and no store named in the environment."""
    for name in ("LC_ALL", "LC_MESSAGES", "WANGGE_STORE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
