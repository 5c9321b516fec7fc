"""Days and moments are the office's, whatever time the machine keeps."""

import time
from datetime import UTC, date, datetime

import pytest

from layers.storage import history


class Evening(datetime):
    """A clock that stands at half past five in the evening in Greenwich."""

    @classmethod
    def now(cls, tz=None):
        return datetime(2026, 11, 21, 17, 30, tzinfo=UTC).astimezone(tz)


@pytest.fixture(params=["UTC", "America/New_York", "Asia/Shanghai"], autouse=True)
def machine(request, monkeypatch):
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_in_the_evening_of_greenwich_it_is_tomorrow(monkeypatch):
    monkeypatch.setattr(history, "datetime", Evening)
    assert history.today() == date(2026, 11, 22)
    assert history.day(None) == "2026-11-22"


def test_moments_are_told_in_office_time():
    assert history.clock("2026-11-21T17:30:00.000Z") == "2026-11-22 01:30"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("2026-01-31", "2026-01-31T15:59:59.999Z"),
        ("2026-01-31T18:00", "2026-01-31T10:00:00.000Z"),
        ("2026-01-31T18:00+00:00", "2026-01-31T18:00:00.000Z"),
        (date(2026, 1, 31), "2026-01-31T15:59:59.999Z"),
    ],
)
def test_moment_without_a_zone_is_the_office_s(given, kept):
    assert history.moment(given) == kept
