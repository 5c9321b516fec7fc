"""`wangge init`, `demo`, `serve`, `backup`, `restore`: stores from the command line."""

import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from command_line import CommandLine, use_chinese
from small_county import SIZE, make_small_store

from layers.imports import sample
from layers.rights import OWNER, ROLES
from layers.selection.frames import count_layer
from layers.storage import accounts, signing_in
from layers.storage.store import Store
from web.commands import serve


@pytest.fixture(scope="module")
def small_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("small") / "small.gpkg"
    make_small_store(path)
    return path


@pytest.fixture
def line(capsys, tmp_path, monkeypatch):
    use_chinese(monkeypatch, tmp_path)
    return CommandLine(capsys, tmp_path / "store.gpkg")


@pytest.fixture
def small(line, small_file):
    shutil.copyfile(small_file, line.store)
    return line


@pytest.fixture
def small_sizes(monkeypatch):
    monkeypatch.setitem(sample.SIZES, "county", SIZE)


def sign_ins(out: str) -> dict[str, str]:
    """Account -> password of the table that `demo` prints."""
    rows = [line.split() for line in out.splitlines()]
    return {row[1]: row[2] for row in rows if len(row) == 4 and row[1] != "账号"}


def test_init_makes_an_empty_store_and_says_what_next(line):
    assert line.run("init") == 0
    assert line.out == ""
    assert "wangge import" in line.err
    assert line.json("layers") == []
    assert Path(line.store).stat().st_mode & 0o077 == 0


def test_init_never_overwrites(small):
    before = Path(small.store).read_bytes()
    assert small.run("init") == 1
    assert "已存在" in small.err
    assert Path(small.store).read_bytes() == before


def test_init_keeps_the_code_scheme_and_the_rule_set(line):
    assert line.run("init", "--codes", "free", "--rules", "sample-2025") == 0
    with Store.open(line.store) as store:
        assert store.codes == "free"
        assert store.settings.get("rule_set") == "sample-2025"


def test_init_with_an_unknown_rule_set_makes_nothing(line):
    assert line.run("init", "--rules", "nowhere") == 2
    assert "sample-2025" in line.err
    assert not Path(line.store).exists()


def test_store_is_found_by_environment_and_in_the_current_folder(small, monkeypatch, tmp_path, capsys):
    from web.cli import main

    monkeypatch.setenv("WANGGE_STORE", small.store)
    assert main(["layers"]) == 0
    assert "village" in capsys.readouterr().out
    monkeypatch.delenv("WANGGE_STORE")
    shutil.copyfile(small.store, tmp_path / "wangge.gpkg")
    monkeypatch.chdir(tmp_path)
    assert main(["layers"]) == 0
    assert "village" in capsys.readouterr().out


def test_demo_makes_the_sample_and_tells_a_sign_in_for_every_role(line, small_sizes):
    assert line.run("demo", "--no-serve") == 0
    known = sign_ins(line.out)
    assert len(known) == len(ROLES)
    assert "虚构" in line.err
    with Store.open(line.store) as store:
        assert count_layer(store, "village", OWNER) == SIZE["villages"]
        for name, password in known.items():
            assert signing_in.verify(store, name, password, "127.0.0.1").name == name


def test_demo_again_keeps_the_data_and_gives_new_passwords(small):
    assert small.run("demo", "--no-serve") == 0
    first, versions = sign_ins(small.out), _versions(small.store)
    assert small.run("demo", "--no-serve") == 0
    again = sign_ins(small.out)
    assert "使用已有的示例数据库" in small.err
    assert again.keys() == first.keys()
    assert not set(again.values()) & set(first.values())
    assert _versions(small.store) == versions


def _versions(path: str) -> dict[str, int]:
    with Store.open(path) as store:
        return store.versions()


def test_demo_refuses_a_real_store_and_changes_nothing_in_it(small):
    with Store.open(small.store) as store:
        store.settings.set("sample", None)
        accounts.create(store, "admin", "administrator", password="correct-horse-7")
    assert small.run("demo", "--no-serve") == 1
    assert "真实数据库" in small.err
    with Store.open(small.store) as store:
        assert signing_in.verify(store, "admin", "correct-horse-7", "127.0.0.1").name == "admin"


def test_demo_fills_an_empty_store(line, small_sizes):
    assert line.run("init") == 0
    assert line.run("demo", "--no-serve") == 0
    with Store.open(line.store) as store:
        assert sample.is_sample(store)


@pytest.mark.postgis
def test_a_database_without_a_store_is_told_and_demo_fills_it(line, small_sizes, postgis_url):
    line.store = postgis_url
    assert line.run("layers") == 2
    assert "还没有" in line.err and "wangge init" in line.err
    assert line.run("demo", "--no-serve") == 0
    with Store.open(line.store) as store:
        assert sample.is_sample(store)
        assert count_layer(store, "village", OWNER) == SIZE["villages"]
    assert line.run("demo", "--no-serve") == 0
    assert "使用已有的示例数据库" in line.err


def test_demo_that_fails_leaves_no_half_made_file(line, small_sizes, monkeypatch):
    def fail(*_args, **_kwargs):
        from geo.errors import StoreError
        from geo.words import Text

        raise StoreError(Text("磁盘已满。", "Disk full."))

    monkeypatch.setattr("layers.imports.sample.insert_rows", fail)
    assert line.run("demo", "--no-serve") == 1
    assert "磁盘已满" in line.err
    assert not Path(line.store).exists()


def test_demo_beside_a_running_server_leaves_passwords_alone(small):
    assert small.run("demo", "--no-serve") == 0
    known = sign_ins(small.out)
    with Store.open(small.store) as store, store.serve_lock():
        assert small.run("demo", "--no-serve") == 1
        assert "已有服务在运行" in small.err
        assert signing_in.verify(store, "viewer", known["viewer"], "127.0.0.1").name == "viewer"


def test_backup_and_restore_give_the_same_store(small, tmp_path):
    copy = tmp_path / "copy.gpkg"
    layers = small.json("layers")
    assert small.run("backup", copy) == 0
    assert small.out == ""
    there = CommandLine(small._capsys, tmp_path / "again.gpkg")
    assert there.run("restore", copy) == 0
    assert there.json("layers") == layers


def test_backup_and_restore_never_overwrite(small, tmp_path):
    copy = tmp_path / "copy.gpkg"
    copy.write_text("precious")
    assert small.run("backup", copy) == 1
    assert copy.read_text() == "precious"
    copy.unlink()
    assert small.run("backup", copy) == 0
    assert small.run("restore", copy) == 1
    assert "Traceback" not in small.err


def test_restore_of_something_else_is_refused(line, tmp_path):
    other = tmp_path / "other.gpkg"
    other.write_bytes(b"not a store")
    assert line.run("restore", other) in (1, 2)
    assert not Path(line.store).exists()


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("tls", "true", True),
        ("TLS", "no", False),
        ("THREADS", "3", 3),
        ("PUBLIC_HOSTS", "a.cn, b.cn", ("a.cn", "b.cn")),
    ],
)
def test_settings_of_serve_come_in_their_own_type(name, value, read):
    assert serve.read_setting(name, value) == read


@pytest.mark.parametrize("setting", ["NOSUCH=1", "TLS=perhaps", "THREADS=many"])
def test_wrong_settings_of_serve_are_wrong_use(small, setting):
    assert small.run("serve", "--set", setting) == 2


def test_serve_says_when_the_port_is_taken(small):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert small.run("serve", "--port", taken.getsockname()[1]) == 2
    assert "--port" in small.err


def test_demo_serves_prints_its_address_and_stops_on_a_polite_kill(small_file, tmp_path, monkeypatch):
    use_chinese(monkeypatch, tmp_path)
    store = tmp_path / "store.gpkg"
    shutil.copyfile(small_file, store)
    command = [Path(sys.executable).with_name("wangge"), "demo", "--store", store, "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=tmp_path)
    try:
        printed = []
        for text in process.stdout:
            printed.append(text)
            if "http://" in text:
                break
        address = "http://" + printed[-1].split("http://")[1].strip()
        with urllib.request.urlopen(f"{address}healthz", timeout=30) as response:
            assert response.status == 200
        assert len(sign_ins("".join(printed))) == len(ROLES)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.stdout.close()
        process.wait()
