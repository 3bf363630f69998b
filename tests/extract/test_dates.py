"""Dates: every form in use, refusal of what is open, and no clock."""

from __future__ import annotations

import timeit
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.extract.dates import FIRST_YEAR, LAST_YEAR, find, folded, parse, read

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")


def stated(text: str, zone: ZoneInfo = SHANGHAI, year_hint: int | None = None) -> str | None:
    moment = parse(text, zone, year_hint=year_hint)
    return moment.isoformat() if moment else None


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2022-05-19 01:00:37", "2022-05-19T01:00:37+08:00"),
        ("2022年05月19日 01:00:37", "2022-05-19T01:00:37+08:00"),
        ("2022年5月19日01时00分37秒", "2022-05-19T01:00:37+08:00"),
        ("2022年5月19日　星期四　17:56", "2022-05-19T17:56:00+08:00"),
        ("2022 年 5 月 19 日 17：56", "2022-05-19T17:56:00+08:00"),
        ("２０２２年５月１９日", "2022-05-19T00:00:00+08:00"),
        ("2022/5/19", "2022-05-19T00:00:00+08:00"),
        ("2022.05.19 17:56", "2022-05-19T17:56:00+08:00"),
        ("发布时间：2022-05-19 来源：某报", "2022-05-19T00:00:00+08:00"),
        ("2022年5月19日 下午3点半", "2022-05-19T15:30:00+08:00"),
        ("2022年5月19日 下午15:30", "2022-05-19T15:30:00+08:00"),
        ("2022年5月19日 凌晨12:05", "2022-05-19T00:05:00+08:00"),
        ("2022年5月19日 中午12:05", "2022-05-19T12:05:00+08:00"),
        ("2022年5月19日 中午1点", "2022-05-19T13:00:00+08:00"),
        ("2022年5月19日 晚上8点30分", "2022-05-19T20:30:00+08:00"),
        ("2022-05-19 24:00", "2022-05-20T00:00:00+08:00"),
        ("二〇二二年五月十九日", "2022-05-19T00:00:00+08:00"),
        ("二○二二年十二月三十一日", "2022-12-31T00:00:00+08:00"),
        ("二零二二年十月十日", "2022-10-10T00:00:00+08:00"),
        ("民國111年5月19日", "2022-05-19T00:00:00+08:00"),
        ("北京时间2022年5月19日 17:56", "2022-05-19T17:56:00+08:00"),
    ],
)
def test_chinese_forms(text: str, moment: str) -> None:
    assert stated(text) == moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("20220519", "2022-05-19T00:00:00+08:00"),
        ("202205190100", "2022-05-19T01:00:00+08:00"),
        ("20220519010037", "2022-05-19T01:00:37+08:00"),
        ("20221319", None),
        ("2022051901003", None),
        ("1652893237", None),
        ("1652893237000", None),
    ],
)
def test_digits_alone(text: str, moment: str | None) -> None:
    assert stated(text) == moment


def test_epochs_only_where_they_are_due() -> None:
    moment = datetime(2022, 5, 18, 17, 0, 37, tzinfo=UTC)
    assert parse("1652893237", SHANGHAI, formats=["epoch"]) == moment
    assert parse("1652893237250", SHANGHAI, formats=["epoch_ms"]) == moment + timedelta(milliseconds=250)
    assert parse("1652893237250", SHANGHAI, formats=["epoch"]) is None
    assert parse("1652893237", SHANGHAI, formats=["epoch_ms"]) is None
    assert parse("1652893237", SHANGHAI, formats=["epoch"]).tzinfo is SHANGHAI  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2022-05-19", "2022-05-19T00:00:00+08:00"),
        ("2022-05-19T01:00", "2022-05-19T01:00:00+08:00"),
        ("2022-05-19T01:00:37Z", "2022-05-19T01:00:37+00:00"),
        ("2022-05-19T01:00:37z", "2022-05-19T01:00:37+00:00"),
        ("2022-05-19T01:00:37.5Z", "2022-05-19T01:00:37.500000+00:00"),
        ("2022-05-19T01:00:37,123456789+02:00", "2022-05-19T01:00:37.123456+02:00"),
        ("2022-05-19T01:00:37-0330", "2022-05-19T01:00:37-03:30"),
        ("2022-05-19T01:00:37+08", "2022-05-19T01:00:37+08:00"),
        ("2022-05-19 01:00:37 +0900", "2022-05-19T01:00:37+09:00"),
        ("2022-05-19 01:00:37 -03:30", "2022-05-19T01:00:37-03:30"),
        ("20220519T010037Z", "2022-05-19T01:00:37+00:00"),
        ("20220519T010037+0900", "2022-05-19T01:00:37+09:00"),
        ("2022-05-19T24:00:00Z", "2022-05-20T00:00:00+00:00"),
        ("2022-W20-4", "2022-05-19T00:00:00+08:00"),
        ("2022W204", "2022-05-19T00:00:00+08:00"),
        ("2022-139", "2022-05-19T00:00:00+08:00"),
        ("2022-139T01:00Z", "2022-05-19T01:00:00+00:00"),
        ("2022-W20", None),
        ("2022-05", None),
        ("2022-366", None),
        ("2022-05-19T01:00:37+99:00", None),
        ("2022-05-19T01:60:37", None),
    ],
)
def test_iso_8601(text: str, moment: str | None) -> None:
    assert stated(text) == moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Thu, 19 May 2022 01:00:37 +0000", "2022-05-19T01:00:37+00:00"),
        ("Thu, 19 May 2022 01:00:37 GMT", "2022-05-19T01:00:37+00:00"),
        ("Thu, 19 May 2022 01:00:37 EST", "2022-05-19T01:00:37-05:00"),
        ("Thu, 19 May 22 01:00:37 PDT", "2022-05-19T01:00:37-07:00"),
        ("Thu, 19 May 94 01:00:37 GMT", "1994-05-19T01:00:37+00:00"),
        ("19 May 2022 01:00 Z", "2022-05-19T01:00:00+00:00"),
        ("Thu May 19 01:00:37 2022", "2022-05-19T01:00:37+08:00"),
        ("Thu May 19 01:00:37 UTC 2022", "2022-05-19T01:00:37+00:00"),
    ],
)
def test_mail_and_unix_forms(text: str, moment: str) -> None:
    assert stated(text) == moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("May 19, 2022", "2022-05-19T00:00:00+02:00"),
        ("Sept. 1st, 2022 at 5 pm", "2022-09-01T17:00:00+02:00"),
        ("19 May 2022, 12:05 a.m.", "2022-05-19T00:05:00+02:00"),
        ("Updated 3:45 PM EDT, Thu May 19, 2022", "2022-05-19T15:45:00-04:00"),
        ("May 19, 2022 · 1:30 p.m. ET", "2022-05-19T13:30:00-04:00"),
        ("January 19, 2022 1:30 p.m. ET", "2022-01-19T13:30:00-05:00"),
        ("10:25 GMT, 19 May 2022", "2022-05-19T10:25:00+00:00"),
        ("19-May-2022", "2022-05-19T00:00:00+02:00"),
        ("3 min read · May 19, 2022", "2022-05-19T00:00:00+02:00"),
        ("19. Mai 2022, 17:56 Uhr", "2022-05-19T17:56:00+02:00"),
        ("Donnerstag, 19.05.2022, 17.56 Uhr", "2022-05-19T17:56:00+02:00"),
        ("1. März 2022 um 9 Uhr", "2022-03-01T09:00:00+01:00"),
        ("jeudi 19 mai 2022 à 17h56", "2022-05-19T17:56:00+02:00"),
        ("mar. 3 mai 2022", "2022-05-03T00:00:00+02:00"),
        ("1er août 2022", "2022-08-01T00:00:00+02:00"),
        ("12 déc. 2022", "2022-12-12T00:00:00+01:00"),
        ("19 de mayo de 2022", "2022-05-19T00:00:00+02:00"),
        ("19 ene 2022 10:30 h", "2022-01-19T10:30:00+01:00"),
        ("2 de março de 2022", "2022-03-02T00:00:00+01:00"),
        ("19 maggio 2022", "2022-05-19T00:00:00+02:00"),
        ("19 мая 2022, 10:30", "2022-05-19T10:30:00+02:00"),
        ("19 Ağustos 2022", "2022-08-19T00:00:00+02:00"),
        ("2022年5月19日（木）17:56", "2022-05-19T17:56:00+02:00"),
        ("令和4年5月19日 午後3時5分", "2022-05-19T15:05:00+02:00"),
        ("令和元年5月19日", "2019-05-19T00:00:00+02:00"),
        ("2022년 5월 19일 오후 3:05", "2022-05-19T15:05:00+02:00"),
        ("2022. 5. 19. 오전 10:30", "2022-05-19T10:30:00+02:00"),
        ("19/05/2022", "2022-05-19T00:00:00+02:00"),
        ("05/19/2022", "2022-05-19T00:00:00+02:00"),
        ("05/13/2022", "2022-05-13T00:00:00+02:00"),
        ("13/05/2022", "2022-05-13T00:00:00+02:00"),
        ("05/05/2022", "2022-05-05T00:00:00+02:00"),
        ("3.4.2022", "2022-04-03T00:00:00+02:00"),
    ],
)
def test_forms_of_other_languages(text: str, moment: str) -> None:
    assert stated(text, BERLIN) == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "今天",
        "5分钟前",
        "yesterday",
        "17:56",
        "May 2022",
        "2022",
        "Thursday",
        "19 May",
        "05-19 17:56",
        "03/04/2022",
        "12/05/2022",
        "05/12/2022",
        "22-05-19",
        "10/11/12",
        "2022年5月",
        "2022-02-30",
        "2022年13月1日",
        "May 32, 2022",
        "2019-01-01 10:00 更新 2019-02-02",
        "2019-01-01 10:00 至 11:00",
        "2022-05-19 25:00",
        "2022-05-19 晚上12点",
        "10 juin juillet",
        "3 jui 2022",
        "2022-05-19 10:30 IST",
        "192.168.1.2022.1",
        "1989-12-31",
        "9999-12-31",
        "1" * 500,
        "2022-05-19 " + "x" * 500,
    ],
)
def test_what_is_open_is_refused(text: str) -> None:
    assert stated(text) is None


def test_a_date_without_a_year_waits_for_a_hint() -> None:
    for text in ("05月19日 17:56", "5月19日17:56", "May 19, 17:56", "19. Mai, 17:56 Uhr"):
        assert stated(text) is None
        assert stated(text, year_hint=2022) == "2022-05-19T17:56:00+08:00"
    assert stated("2月29日", year_hint=2023) is None
    assert stated("2021年5月19日", year_hint=2022) == "2021-05-19T00:00:00+08:00"


def test_formats_come_first() -> None:
    assert stated("03/04/2022") is None
    assert parse("03/04/2022", SHANGHAI, formats=["%d/%m/%Y"]) == datetime(2022, 4, 3, tzinfo=SHANGHAI)
    assert parse("03/04/2022", SHANGHAI, formats=["%Y", "%m/%d/%Y"]) == datetime(2022, 3, 4, tzinfo=SHANGHAI)
    assert parse("22-05-19 +0900", SHANGHAI, formats=["%y-%m-%d %z"]).isoformat() == "2022-05-19T00:00:00+09:00"  # type: ignore[union-attr]
    assert parse("2022-05-19", SHANGHAI, formats=["%d/%m/%Y"]) == datetime(2022, 5, 19, tzinfo=SHANGHAI)


def test_formats_that_state_no_whole_date_never_invent_one() -> None:
    assert parse("05-19", SHANGHAI, formats=["%m-%d"]) is None
    assert parse("02-29", SHANGHAI, formats=["%m-%d"], year_hint=2024) == datetime(2024, 2, 29, tzinfo=SHANGHAI)
    for form in ("%Y-%m", "%Y", "%H:%M", "%d %Y"):
        assert parse(datetime(2022, 5, 19).strftime(form), SHANGHAI, formats=[form], year_hint=2022) is None


def test_dates_after_the_fetch_are_refused() -> None:
    fetched = datetime(2022, 5, 19, 12, tzinfo=UTC)
    assert parse("2022-05-20 19:00:00", SHANGHAI, not_after=fetched) is not None
    assert parse("2022-05-20 20:00:01", SHANGHAI, not_after=fetched) is None
    assert parse("2022年5月21日", SHANGHAI, not_after=fetched) is None


def test_the_zone_in_use_knows_its_own_names_best() -> None:
    assert stated("2022-05-19 10:00 CST", SHANGHAI) == "2022-05-19T10:00:00+08:00"
    assert stated("2022-05-19 10:00 CST", NEW_YORK) == "2022-05-19T10:00:00-06:00"
    assert stated("2022-05-19 10:00 IST", ZoneInfo("Asia/Kolkata")) == "2022-05-19T10:00:00+05:30"
    assert stated("2022-05-19 10:00 (UTC+8)", BERLIN) == "2022-05-19T10:00:00+08:00"
    assert stated("2022-05-19 10:00 GMT-03:30", BERLIN) == "2022-05-19T10:00:00-03:30"
    assert stated("北京时间 2022-05-19 10:00", BERLIN) == "2022-05-19T10:00:00+08:00"
    assert stated("2022-05-19 10:00:00", BERLIN) == "2022-05-19T10:00:00+02:00"
    assert stated("2022-01-19 10:00:00", BERLIN) == "2022-01-19T10:00:00+01:00"


def test_the_common_form_is_fast() -> None:
    """Three microseconds on a quiet machine; tenfold here, for a busy one."""
    best = min(timeit.repeat(lambda: parse("2022-05-19 01:00:37", SHANGHAI), number=1000, repeat=5))
    assert best / 1000 < 30e-6


@settings(max_examples=400, deadline=None)
@given(
    st.text(max_size=60) | st.text(alphabet="0123456789年月日时分秒:-/. TZ+上午下星期 MayJun二十〇", max_size=40),
    st.sampled_from([(), ("epoch", "epoch_ms"), ("%d/%m/%Y", "%")]),
    st.none() | st.integers(1, 9999),
)
def test_any_text_gives_a_possible_moment_or_none(text: str, formats: tuple[str, ...], hint: int | None) -> None:
    moment = parse(text, SHANGHAI, formats=formats, year_hint=hint)
    if moment is not None:
        assert moment.utcoffset() is not None
        assert FIRST_YEAR <= moment.year <= LAST_YEAR


@given(
    st.datetimes(datetime(1990, 1, 2), datetime(2100, 1, 1)).map(lambda moment: moment.replace(microsecond=0)),
    st.integers(-14 * 60, 14 * 60),
)
def test_what_is_written_is_read_back(moment: datetime, minutes: int) -> None:
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert parse(aware.isoformat(), SHANGHAI) == aware
    assert parse(f"{aware:%a, %d %b %Y %H:%M:%S %z}", SHANGHAI) == aware
    for form in ("%Y-%m-%d %H:%M:%S", "%Y年%m月%d日 %H:%M:%S", "%d. %B %Y, %H:%M:%S Uhr", "%B %d, %Y %H:%M:%S"):
        assert parse(f"{moment:{form}}", SHANGHAI) == moment.replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("text", "language", "moments"),
    [
        ("2022-05-19", "", ["2022-05-19"]),
        ("20220519", "", ["2022-05-19"]),
        ("202205191030", "", ["2022-05-19T10:30:00"]),
        ("20220519T103000Z", "", ["2022-05-19T10:30:00+00:00"]),
        ("2022-05-19T10:30:00", "", ["2022-05-19T10:30:00"]),
        ("2022-05-19T10:30:5Z", "", ["2022-05-19T10:30:05+00:00"]),
        ("2022-05-19T10:30:00 08:00", "", ["2022-05-19T10:30:00+08:00"]),
        ("Thu May 19 10:30:00 CEST 2022", "", ["2022-05-19T10:30:00+02:00"]),
        ("1652893237", "", ["2022-05-18T17:00:37+00:00"]),
        ("1652893237000", "", ["2022-05-18T17:00:37+00:00"]),
        ("03/04/2022 10:30", "en", ["2022-03-04T10:30:00", "2022-04-03T10:30:00"]),
        ("03/04/2022", "en-gb", ["2022-04-03", "2022-03-04"]),
        ("03/04/2022", "", ["2022-04-03", "2022-03-04"]),
        ("3.4.2022", "en", ["2022-04-03"]),
        ("", "", []),
        ("Moor", "", []),
        ("1989-12-31", "", []),
        ("19.05.2022" + " " * 300, "", []),
    ],
)
def test_read_says_what_is_stated_and_no_more(text: str, language: str, moments: list[str]) -> None:
    assert [str(moment) for moment in read(text, language)] == moments


def found(text: str, language: str = "") -> list[str]:
    return [str(dated.moments[0]) for dated in find(folded(text), language)]


@pytest.mark.parametrize(
    ("text", "moments"),
    [
        ("Vom 19. Mai 2022 um 10:30 Uhr, neu am 20. Mai 2022", ["2022-05-19T10:30:00", "2022-05-20"]),
        ("10:30, 19 May 2022 | 20 May 2022", ["2022-05-19T10:30:00", "2022-05-20"]),
        ("19.05.2022, 10.30", ["2022-05-19T10:30:00"]),
        ("19.5.2022 klo 10.30", ["2022-05-19T10:30:00"]),
        ("19.05.22 | 10:30 Uhr", ["2022-05-19T10:30:00"]),
        ("19.05.99", ["1999-05-19"]),
        ("05/19/22", ["2022-05-19"]),
        ("19 May 2022 10:30 IST", ["2022-05-19T10:30:00"]),
        ("19 May 2022 10:30 ET", ["2022-05-19T10:30:00-04:00"]),
        ("19/5/2022 10:30 (GMT+7)", ["2022-05-19T10:30:00+07:00"]),
        ("19 May 2022 99:99", ["2022-05-19"]),
        ("30.02.2022 und 19.05.2022", ["2022-05-19"]),
        ("二〇二二年五月十九日", ["2022-05-19"]),
        ("令和4年5月19日", ["2022-05-19"]),
        ("Version 1.2.22.4, 10.0.0.1", []),
        ("im Mai 2022, 300 Gäste", []),
        ("x" * 500 + " 19.05.2022 10:30 " + "y" * 500, ["2022-05-19T10:30:00"]),
        ("19.05.2022" + " ·" * 100 + "20.05.2022", ["2022-05-19", "2022-05-20"]),
    ],
)
def test_find_reads_every_date_of_a_line(text: str, moments: list[str]) -> None:
    assert found(text) == moments


@pytest.mark.parametrize(
    "text",
    [
        "19 травня 2022",
        "19 мај 2022",
        "19. svibnja 2022.",
        "19. mája 2022",
        "2022. május 19.",
        "19 Μαΐου 2022",
        "19. toukokuuta 2022",
        "2022 m. gegužės 19 d.",
        "19 maí 2022",
        "19 Mei 2022",
        "19 مايو 2022",
        "19 במאי 2022",
        "19 maig 2022",
    ],
)
def test_months_of_more_languages(text: str) -> None:
    assert found(text) == ["2022-05-19"]


def test_a_month_that_two_languages_share_is_the_languages_own() -> None:
    assert found("19. listopada 2022", "hr") == ["2022-10-19"]
    assert found("19 listopada 2022", "pl-pl") == ["2022-11-19"]
    assert found("19. lis 2022", "hr") == ["2022-10-19"]


def test_find_says_where_a_date_stands() -> None:
    line = folded("Moor – Ｖｏｍ 19.05.2022 10:30 Uhr an")
    (dated,) = find(line)
    assert line[dated.start : dated.end] == "19.05.2022 10:30"


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="0123456789年月日:-/. tz+maijun,uhr\n", max_size=120) | st.text(max_size=60))
def test_find_never_raises_and_keeps_to_the_line(text: str) -> None:
    line = folded(text)
    read(text)
    end = 0
    for dated in find(line):
        assert end <= dated.start < dated.end <= len(line)
        end = dated.end
