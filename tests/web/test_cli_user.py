"""`wangge user`: accounts from the terminal."""

import io

import pytest
from command_line import CommandLine, use_chinese

from geo.errors import RightsError
from layers.storage import signing_in
from layers.storage.store import Store

PASSWORD = "correct-horse-7"


@pytest.fixture
def line(capsys, tmp_path, monkeypatch):
    use_chinese(monkeypatch, tmp_path)
    made = CommandLine(capsys, tmp_path / "store.gpkg")
    assert made.run("init") == 0
    return made


def sign_in(line, name, password):
    with Store.open(line.store) as store:
        return signing_in.verify(store, name, password, "127.0.0.1")


def told_password(line):
    return line.out.split("密码")[1].split("（")[0].strip()


def test_a_new_account_gets_a_random_password_that_must_be_changed(line):
    assert line.run("user", "add", "planner1", "--role", "planner", "--area", "432025100000") == 0
    account = sign_in(line, "planner1", told_password(line))
    assert account.role == "planner"
    assert account.areas == ("432025100000",)
    assert account.must_change


def test_a_password_may_come_from_standard_input_and_is_not_printed(line, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    assert line.run("user", "add", "boss", "--role", "administrator", "--password-stdin") == 0
    assert PASSWORD not in line.out + line.err
    assert not sign_in(line, "boss", PASSWORD).must_change


def test_weak_passwords_and_taken_names_are_refused(line, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("123456\n"))
    assert line.run("user", "add", "boss", "--role", "administrator", "--password-stdin") == 2
    assert line.run("user", "add", "boss", "--role", "administrator") == 0
    assert line.run("user", "add", "BOSS", "--role", "viewer") == 1


def test_accounts_are_listed_without_secrets(line):
    line.run("user", "add", "boss", "--role", "administrator")
    password = told_password(line)
    assert line.run("user", "list") == 0
    assert "boss" in line.out and "管理员" in line.out
    (entry,) = line.json("user", "list")
    assert entry["name"] == "boss"
    assert set(entry) == {"name", "role", "areas", "language", "disabled", "created_at", "last_sign_in_at"}
    assert password not in line.out


def test_role_and_areas_change_and_areas_stay_when_not_named(line):
    line.run("user", "add", "boss", "--role", "administrator")
    line.run("user", "add", "someone", "--role", "viewer", "--area", "432025100000")
    assert line.run("user", "role", "someone", "grid_manager") == 0
    listed = {entry["name"]: entry for entry in line.json("user", "list")}
    assert (listed["someone"]["role"], listed["someone"]["areas"]) == ("grid_manager", ["432025100000"])


def test_the_last_administrator_stays(line):
    line.run("user", "add", "boss", "--role", "administrator")
    assert line.run("user", "role", "boss", "viewer") == 1
    assert line.run("user", "disable", "boss") == 1
    assert "管理员" in line.err


def test_a_closed_account_cannot_sign_in_until_it_is_opened(line):
    line.run("user", "add", "boss", "--role", "administrator")
    line.run("user", "add", "someone", "--role", "viewer")
    password = told_password(line)
    assert line.run("user", "disable", "someone") == 0
    with pytest.raises(RightsError):
        sign_in(line, "someone", password)
    assert line.run("user", "disable", "someone", "--enable") == 0
    assert sign_in(line, "someone", password).name == "someone"


def test_a_new_password_ends_the_old_one(line):
    line.run("user", "add", "boss", "--role", "administrator")
    old = told_password(line)
    assert line.run("user", "password", "boss") == 0
    assert sign_in(line, "boss", told_password(line)).must_change
    with pytest.raises(RightsError):
        sign_in(line, "boss", old)


@pytest.mark.parametrize("action", [["role", "nobody", "viewer"], ["password", "nobody"], ["disable", "nobody"]])
def test_an_unknown_account_is_wrong_use(line, action):
    assert line.run("user", *action) == 2
    assert "nobody" in line.err
