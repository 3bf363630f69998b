"""When sources are due: slots of cron expressions across changes of the clock, spans, and learnt rates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.schedule import LEAST, MOST, UNKNOWN, Rate, due, learnt, next_due, parse_schedule

ZONES = ("UTC", "Asia/Shanghai", "Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")
SCHEDULES = (
    "every 1m",
    "every 30m",
    "every 3d",
    "auto",
    "*/10 * * * *",
    "7 6 * * *",
    "30 1,2 * * *",
    "0 0 1 * *",
    "0 12 13 * 5",
    "15 3 29 2 *",
    "59 23 31 12 *",
    "0 9 * * 1-5",
    "0 0 30 2 1",
)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2031, 1, 1), timezones=st.just(UTC))
zones = st.sampled_from(ZONES).map(ZoneInfo)
rates = st.dictionaries(
    st.tuples(st.integers(0, 6), st.integers(0, 23)), st.floats(0, 500), min_size=1, max_size=168
).map(lambda cells: Rate(cells, sum(cells.values()) / 168))


def slot(schedule: str, after: str, zone: str) -> str:
    """The next slot, in the zone's own time."""
    found = next_due(parse_schedule(schedule), datetime.fromisoformat(after).astimezone(UTC), ZoneInfo(zone))
    return found.astimezone(ZoneInfo(zone)).isoformat(timespec="minutes")


@pytest.mark.parametrize(
    ("schedule", "zone", "after", "expected"),
    [
        ("*/10 * * * *", "UTC", "2026-03-02T10:00:00Z", "2026-03-02T10:10+00:00"),
        ("*/10 * * * *", "UTC", "2026-03-02T23:55:01Z", "2026-03-03T00:00+00:00"),
        ("7 6 * * *", "Asia/Shanghai", "2026-03-02T22:06:59Z", "2026-03-03T06:07+08:00"),
        ("7 6 * * *", "Asia/Shanghai", "2026-03-02T22:07:00Z", "2026-03-04T06:07+08:00"),
        ("0 9 * * 1-5", "UTC", "2026-03-06T09:00:00Z", "2026-03-09T09:00+00:00"),  # Friday to Monday
        ("0 9 * * 7", "UTC", "2026-03-06T09:00:00Z", "2026-03-08T09:00+00:00"),  # 7 is Sunday, as 0 is
        ("0 9 * * 0", "UTC", "2026-03-06T09:00:00Z", "2026-03-08T09:00+00:00"),
        ("0 12 13 * 5", "UTC", "2026-03-06T12:00:00Z", "2026-03-13T12:00+00:00"),  # day or weekday: a Friday 13th
        ("0 12 10 * 5", "UTC", "2026-03-06T12:00:00Z", "2026-03-10T12:00+00:00"),  # the 10th, a Tuesday
        ("0 12 */2 * *", "UTC", "2026-03-31T12:00:00Z", "2026-04-01T12:00+00:00"),
        ("15 3 29 2 *", "UTC", "2026-03-01T00:00:00Z", "2028-02-29T03:15+00:00"),
        ("0 0 31 * *", "UTC", "2026-03-31T00:00:00Z", "2026-05-31T00:00+00:00"),
        ("59 23 31 12 *", "America/New_York", "2026-12-31T23:58:00-05:00", "2026-12-31T23:59-05:00"),
        # clocks go forward: 01:30 does not exist in London on 29 March, and comes an hour later
        ("30 1 * * *", "Europe/London", "2026-03-28T12:00:00Z", "2026-03-29T02:30+01:00"),
        ("*/30 * * * *", "Europe/London", "2026-03-29T00:30:00Z", "2026-03-29T02:00+01:00"),
        # clocks go back: 01:30 comes once, each tenth minute in both hours
        ("30 1 * * *", "Europe/London", "2026-10-25T00:00:00Z", "2026-10-25T01:30+01:00"),
        ("30 1 * * *", "Europe/London", "2026-10-25T00:30:00Z", "2026-10-26T01:30+00:00"),
        ("*/10 * * * *", "Europe/London", "2026-10-25T00:50:00Z", "2026-10-25T01:00+00:00"),
        ("every 1h", "Europe/London", "2026-10-25T00:50:00Z", "2026-10-25T01:50+00:00"),
        ("every 30m", "UTC", "2026-03-02T10:00:59Z", "2026-03-02T10:30+00:00"),  # from the minute, as timers tick
        ("auto", "UTC", "2026-03-02T10:00:00Z", "2026-03-02T11:00+00:00"),  # nothing learnt
    ],
)
def test_the_next_slot(schedule: str, zone: str, after: str, expected: str) -> None:
    assert slot(schedule, after, zone) == expected


@pytest.mark.parametrize("schedule", ["0 0 30 2 *", "0 0 31 4,6,9,11 *"])
def test_a_day_that_never_comes_is_refused(schedule: str) -> None:
    with pytest.raises(ValueError, match="never comes"):
        parse_schedule(schedule)


@given(st.sampled_from(SCHEDULES).map(parse_schedule), moments, zones, rates | st.none())
def test_the_next_slot_lies_ahead(schedule: object, last: datetime, zone: ZoneInfo, rate: Rate | None) -> None:
    following = next_due(schedule, last, zone, rate)  # type: ignore[arg-type]
    assert following > last
    assert following.tzinfo is UTC


@given(
    st.sampled_from(SCHEDULES).map(parse_schedule),
    moments,
    st.timedeltas(timedelta(0), timedelta(days=40)),
    zones,
    rates | st.none(),
)
def test_due_once_the_next_slot_has_come(
    schedule: object, last: datetime, passed: timedelta, zone: ZoneInfo, rate: Rate | None
) -> None:
    now = last + passed
    following = next_due(schedule, last, zone, rate)  # type: ignore[arg-type]
    assert due(schedule, last, now, zone, rate) == (following <= now)  # type: ignore[arg-type]
    assert not due(schedule, now, now, zone, rate), "after a visit nothing is missed any more"  # type: ignore[arg-type]
    assert due(schedule, None, now, zone, rate)  # type: ignore[arg-type]
    assert due(schedule, now + timedelta(days=400), now, zone, rate), "the clock was wrong"  # type: ignore[arg-type]


@given(
    st.sets(st.integers(0, 59), min_size=1, max_size=4),
    st.sets(st.integers(0, 23), min_size=1, max_size=4),
    moments,
    st.sampled_from(("UTC", "Asia/Shanghai", "Asia/Kathmandu")).map(ZoneInfo),
)
def test_no_slot_is_passed_over(minutes: set[int], hours: set[int], after: datetime, zone: ZoneInfo) -> None:
    """Against a walk over every minute, in zones whose clocks do not change."""
    schedule = parse_schedule(f"{','.join(map(str, minutes))} {','.join(map(str, hours))} * * *")
    here = after.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while not ((local := here.astimezone(zone)).minute in minutes and local.hour in hours):
        here += timedelta(minutes=1)
    assert next_due(schedule, after, zone) == here


# learnt rates

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


def visits(days: int, per_hour: float, hours: range = range(24)) -> list[tuple[datetime, int]]:
    """Hourly visits over days, each with what the hour before brought."""
    slots = [MONDAY + timedelta(hours=number) for number in range(24 * days)]
    return [(at, round(per_hour)) for at in slots if (at - timedelta(minutes=1)).hour in hours]


@pytest.mark.parametrize(
    ("per_hour", "gap"),
    [(1, timedelta(hours=3)), (3, timedelta(hours=1)), (6, timedelta(minutes=30)), (600, LEAST)],
)
def test_about_three_articles_a_visit(per_hour: int, gap: timedelta) -> None:
    now = MONDAY + timedelta(days=21)
    rate = learnt(visits(21, per_hour), now, UTC)
    assert rate is not None
    assert abs(rate.gap(now, UTC) - gap) <= gap * 0.1


def test_a_quiet_source_is_seen_daily() -> None:
    found = [(MONDAY + timedelta(days=number), 1) for number in range(0, 21, 4)]
    rate = learnt(found, MONDAY + timedelta(days=21), UTC)
    assert rate is not None
    assert rate.gap(MONDAY + timedelta(days=21), UTC) == MOST


def test_nights_and_mornings_differ() -> None:
    """A newsroom that writes from 8 to 18, six articles an hour."""
    now = MONDAY + timedelta(days=28)
    rate = learnt(visits(28, 6, range(8, 18)), now, UTC)
    assert rate is not None
    assert rate.gap(now + timedelta(hours=10), UTC) < timedelta(minutes=45)
    assert rate.gap(now + timedelta(hours=19), UTC) > timedelta(hours=3)


def test_the_first_visit_teaches_nothing() -> None:
    found = [(MONDAY, 5000), *((MONDAY + timedelta(hours=number), 1) for number in range(1, 100))]
    rate = learnt(found, MONDAY + timedelta(hours=100), UTC)
    assert rate is not None
    assert abs(rate.mean - 1) < 0.05
    assert learnt(found[:2], MONDAY + timedelta(hours=2), UTC) is None
    assert next_due("auto", MONDAY, UTC, None) - MONDAY == UNKNOWN


@given(rates, moments, zones)
def test_learnt_gaps_keep_to_their_bounds(rate: Rate, after: datetime, zone: ZoneInfo) -> None:
    assert LEAST <= rate.gap(after, zone) <= MOST


@given(st.lists(st.tuples(st.integers(1, 40 * 24 * 60), st.integers(0, 5000)), max_size=60), zones)
def test_any_past_gives_a_rate_or_none(past: list[tuple[int, int]], zone: ZoneInfo) -> None:
    now = MONDAY + timedelta(days=40)
    found = sorted((now - timedelta(minutes=ago), number) for ago, number in dict(past).items())
    rate = learnt(found, now, zone)
    if rate is not None:
        assert rate.mean >= 0
        assert LEAST <= rate.gap(now, zone) <= MOST
