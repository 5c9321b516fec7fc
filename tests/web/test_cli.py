"""The command line as such: language, exit codes, streams, faults, speed of the help."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from geo.errors import StoreError
from geo.words import Text
from layers.findings import Finding
from web.cli import main
from web.commands import layers as layers_command
from web.commands import terminal
from web.commands.parser import COMMANDS, make_parser
from web.commands.terminal import Progress, language_of, say, say_findings, table, width


@pytest.fixture(autouse=True)
def chinese(monkeypatch, tmp_path):
    """Chinese unless a test says otherwise, and a log folder of one's own."""
    for name in ("LC_ALL", "LC_MESSAGES", "WANGGE_STORE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "zh"),
        ({"LANG": "C"}, "zh"),
        ({"LANG": "C.UTF-8"}, "zh"),
        ({"LANG": "POSIX"}, "zh"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_TW"}, "zh"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "en_GB"}, "en"),
    ],
)
def test_language_follows_the_environment_and_is_chinese_without_one(environment, expected):
    assert language_of(environment) == expected


@pytest.mark.parametrize("arguments", [[name, "--help"] for name in COMMANDS] + [["--help"], ["user", "add", "--help"]])
@pytest.mark.parametrize("tongue", ["zh_CN.UTF-8", "en_US.UTF-8"])
def test_every_command_explains_itself_in_both_languages(monkeypatch, capsys, arguments, tongue):
    monkeypatch.setenv("LANG", tongue)
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert ("用法" in out) == tongue.startswith("zh")
    chinese = any("\u4e00" <= char <= "\u9fff" for char in out.replace("reference:名称", ""))
    assert chinese == tongue.startswith("zh")


def test_every_command_of_the_design_is_there_and_no_other():
    assert list(COMMANDS) == [
        "demo", "init", "import", "layers", "check", "coverage", "hotspots", "export", "redraw", "serve", "user",
        "backup", "restore",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        [],
        ["nonsense"],
        ["site", "--count", "3"],
        ["redraw"],
        ["batch"],
        ["import", "x.csv"],
        ["import", "--layer", "village"],
        ["import", "x.csv", "--layer", "village", "--map", "no-equals-sign"],
        ["import", "x.csv", "--layer", "village", "--mode", "guess"],
        ["import", "x.csv", "--layer", "village", "--as-of", "2026-13-01"],
        ["coverage", "--unit", "street"],
        ["coverage", "--json", "--csv", "x.csv"],
        ["hotspots", "--cell-m", "0"],
        ["hotspots", "--from", "yesterday"],
        ["serve", "--port", "99999"],
        ["user"],
        ["user", "add", "someone", "--role", "king"],
        ["init", "--codes", "us"],
        ["layers", "--jso"],
    ],
)
def test_wrong_use_exits_2_with_one_message_and_no_trace(capsys, line):
    assert main(line) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    assert "--help" in err


def test_words_that_are_no_utf8_are_wrong_use_and_no_fault(capsys, tmp_path):
    # As Python hands on the bytes of a GBK terminal.
    store, word = str(tmp_path / "s.gpkg"), "规划".encode("gbk").decode("utf-8", "surrogateescape")
    assert main(["init", "--store", store]) == 0
    assert main(["user", "password", word, "--store", store]) == 2
    assert "UTF-8" in capsys.readouterr().err


def test_wrong_use_is_told_in_chinese(capsys):
    main(["coverage", "--unit", "street"])
    err = capsys.readouterr().err
    assert "参数 --unit：不能是 'street'" in err
    assert "invalid" not in err


def test_pairs_of_map_may_be_many_and_repeated():
    line = ["import", "a.csv", "b.csv", "--layer", "village", "--map", "A=code", "B=C=name", "--map", "户数=households"]
    arguments = make_parser("zh").parse_args(line)
    assert dict(arguments.map) == {"A": "code", "B=C": "name", "户数": "households"}
    assert arguments.files == ["a.csv", "b.csv"]


@pytest.mark.parametrize("command", [["layers"], ["check"], ["coverage"], ["hotspots"], ["user", "list"]])
def test_a_store_that_is_not_there_is_wrong_use(tmp_path, capsys, command):
    assert main([*command, "--store", str(tmp_path / "none.gpkg")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "none.gpkg" in err
    assert "wangge init" in err


def test_a_file_that_is_no_store_is_refused_without_a_trace(tmp_path, capsys):
    path = tmp_path / "text.gpkg"
    path.write_bytes(b"this is not a database" * 100)
    assert main(["layers", "--store", str(path)]) == 1
    assert "Traceback" not in capsys.readouterr().err


def test_a_store_error_exits_1(monkeypatch, capsys):
    def refuse(_arguments):
        raise StoreError(Text("磁盘已满。", "Disk full."))

    monkeypatch.setattr(layers_command, "run", refuse)
    assert main(["layers"]) == 1
    assert capsys.readouterr().err.strip() == "磁盘已满。"


def test_a_fault_of_ours_exits_3_and_names_a_log_file_with_the_trace(monkeypatch, capsys, tmp_path):
    def fail(_arguments):
        raise RuntimeError("secret-detail")

    monkeypatch.setattr(layers_command, "run", fail)
    assert main(["layers"]) == 3
    out, err = capsys.readouterr()
    log = tmp_path / "state" / "wangge" / "wangge.log"
    assert out == ""
    assert str(log) in err
    assert err.count("\n") == 1
    assert "secret-detail" not in err
    assert "secret-detail" in log.read_text()
    assert "Traceback" in log.read_text()
    assert log.stat().st_mode & 0o077 == 0


def test_a_fault_is_told_even_when_no_log_can_be_written(monkeypatch, capsys, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setattr("web.cli._log_folders", lambda: [blocked / "wangge"])
    monkeypatch.setattr(layers_command, "run", lambda _arguments: 1 / 0)
    assert main(["layers"]) == 3
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_ctrl_c_is_told_in_a_word(monkeypatch, capsys):
    def interrupt(_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(layers_command, "run", interrupt)
    assert main(["layers"]) == 130
    assert capsys.readouterr().err.strip() == "已中断。"


def test_a_closed_pipe_is_no_fault(monkeypatch, capsys):
    def broken(_arguments):
        raise BrokenPipeError

    monkeypatch.setattr(layers_command, "run", broken)
    monkeypatch.setattr("os.dup2", lambda *_: None)
    assert main(["layers"]) == 0
    assert capsys.readouterr().err == ""


def test_help_loads_nothing_heavy():
    code = (
        "import sys, web.cli\n"
        "status = web.cli.main(['--help'])\n"
        "heavy = {'numpy', 'pandas', 'shapely', 'sqlalchemy', 'flask', 'geopandas', 'pyproj'} & set(sys.modules)\n"
        "print(status, sorted(heavy), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr.strip() == "0 []"


def test_the_installed_command_answers_in_utf8_whatever_the_locale(tmp_path):
    command = Path(sys.executable).with_name("wangge")
    environment = {**os.environ, "LANG": "zh_CN.GBK", "PYTHONIOENCODING": "gbk", "XDG_STATE_HOME": str(tmp_path)}
    store = tmp_path / "store.gpkg"
    subprocess.run([command, "init", "--store", store], env=environment, capture_output=True, timeout=60, check=True)
    done = subprocess.run(
        [command, "layers", "--json", "--store", store], env=environment, capture_output=True, timeout=60, check=True
    )
    assert json.loads(done.stdout.decode("utf-8")) == []
    assert done.stderr == b""


def test_messages_cannot_drive_the_terminal(capsys):
    say("name\x1b[2J\x07\rend \u202egnp.exe")
    err = capsys.readouterr().err
    assert "\x1b" not in err and "\x07" not in err and "\r" not in err and "\u202e" not in err
    assert "\\x1b[2J" in err


def test_tables_align_chinese_and_numbers():
    lines = table((Text("名称", "name"), "n"), [("石门村", 5), ("a", 12), (None, None)])
    assert {width(line) for line in lines[:3]} == {width(lines[0])}
    assert lines[1].endswith(" 5")
    assert lines[2].endswith("12")


def test_findings_show_the_worst_twenty_and_count_all(capsys):
    findings = [Finding(Text("小事", "small"), severity="info", row=n) for n in range(1, 31)]
    findings.append(Finding(Text("坏了", "bad"), row=99))
    say_findings(findings)
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.strip().splitlines()
    assert len(lines) == 1 + terminal.SHOWN_FINDINGS + 1
    assert "坏了" in lines[1]
    assert "共 31 条" in lines[-1]


def test_progress_is_drawn_on_terminals_only(capsys, monkeypatch):
    with Progress(Text("读取", "reading")) as progress:
        progress(1, 2)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with Progress(Text("读取", "reading")) as progress:
        progress(1, 2)
        progress(1.0, None, Text("写入", "storing"))
    out, err = capsys.readouterr()
    assert out == ""
    assert "50%" in err
    assert "写入" in err
    assert "100%" in err
