"""Schedules: spans and cron expressions, and what is neither."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.schedule import parse_schedule, parse_span


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("", None),
        ("30m", timedelta(minutes=30)),
        ("12h", timedelta(hours=12)),
        ("3 d", timedelta(days=3)),
        ("1w", timedelta(weeks=1)),
        ("99999w", timedelta(weeks=99999)),
    ],
)
def test_spans(text: str, span: timedelta | None) -> None:
    assert parse_span(text) == span


@pytest.mark.parametrize(
    "text", ["0m", "00h", "m", "3", "3y", "3s", "-3m", "1.5h", "3m 2h", " 3m", "3m\n", "9" * 20 + "d"]
)
def test_what_is_no_span(text: str) -> None:
    with pytest.raises(ValueError, match="expected a span such as 30m, 12h or 3d"):
        parse_span(text)


def test_every() -> None:
    assert parse_schedule("every 30m") == timedelta(minutes=30)
    assert parse_schedule("every  2 h ") == timedelta(hours=2)


def cron(text: str) -> list[list[int]]:
    fields = parse_schedule(text)
    assert isinstance(fields, tuple)
    return [sorted(field) for field in fields]


@pytest.mark.parametrize(
    ("place", "field", "values"),
    [
        (0, "*", list(range(60))),
        (0, "*/15", [0, 15, 30, 45]),
        (0, "5,35", [5, 35]),
        (0, "50-59/3", [50, 53, 56, 59]),
        (0, "40/10", [40, 50]),
        (0, "7", [7]),
        (1, "*", list(range(24))),
        (1, "8-10,20", [8, 9, 10, 20]),
        (2, "*/10", [1, 11, 21, 31]),
        (3, "*", list(range(1, 13))),
        (4, "1-5", [1, 2, 3, 4, 5]),
        (4, "7", [7]),
    ],
)
def test_cron_fields(place: int, field: str, values: list[int]) -> None:
    fields = ["0", "0", "1", "1", "0"]
    fields[place] = field
    assert cron(" ".join(fields))[place] == values


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "expected five cron fields"),
        ("every", "expected five cron fields"),
        ("* * * *", "expected five cron fields"),
        ("* * * * * *", "expected five cron fields"),
        ("hourly", "expected five cron fields"),
        ("every ", "expected a span such as 30m after 'every'"),
        ("every hour", "expected a span"),
        ("60 * * * *", "minute field '60' is not within 0-59"),
        ("* 24 * * *", "hour field '24' is not within 0-23"),
        ("* * 0 * *", "day field '0' is not within 1-31"),
        ("* * * 13 *", "month field '13' is not within 1-12"),
        ("* * * * 8", "weekday field '8' is not within 0-7"),
        ("30-10 * * * *", "minute field '30-10' is not within 0-59"),
        ("*/0 * * * *", "minute field '\\*/0' has a step of 0"),
        ("a * * * *", "minute field 'a' is no cron field"),
        ("1,,2 * * * *", "minute field '1,,2' is no cron field"),
        ("* * * jan *", "month field 'jan' is no cron field"),
        ("-1 * * * *", "minute field '-1' is no cron field"),
    ],
)
def test_what_is_no_schedule(text: str, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        parse_schedule(text)


@given(st.text("0123456789*/-, \nevrymhdw", max_size=30) | st.text(max_size=30))
def test_any_text_is_a_schedule_or_a_value_error(text: str) -> None:
    try:
        found = parse_schedule(text)
    except ValueError:
        return
    if isinstance(found, timedelta):
        assert found > timedelta(0)
    else:
        assert len(found) == 5
        assert all(found)
