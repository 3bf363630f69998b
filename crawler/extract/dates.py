"""Dates as printed, read strictly: what a text leaves open is never filled in, and no clock is read.

Whole dates only: day, month and a year of four digits must be there, and no second date beside them. ``03/04/2022`` is
refused for its order, ``5分钟前`` for its clock, two-digit years everywhere but in RFC 822's own form. That is also why
dateutil is not asked: it takes missing parts from a default, guesses orders, and reads zone names off the machine.

``parse`` is for a source's own rules. ``read`` and ``find`` are for pages nobody wrote rules for: they tell whether a
time of day was stated, leave a moment without a zone where none is named, and give both readings of an open order, the
likelier one first, for others to bear out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

FIRST_YEAR = 1990
LAST_YEAR = 2100
"""No page was published outside these; 9999-12-31 means "never" to many a system."""
LONGEST = 200
"""Characters: what is longer is no date."""

_DAY = timedelta(days=1)

_MONTHS = """
january february march april may june july august september october november december
januar februar märz april mai juni juli august september oktober november dezember
jänner feber maerz april mai juni juli august september oktober november dezember
janvier février mars avril mai juin juillet août septembre octobre novembre décembre
enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre
janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro
januari februari maart april mei juni juli augustus september oktober november december
januari februari mrt april maj juni juli augusti september oktober november december
januar februar marts april maj juni juli august september oktober november desember
stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia
ledna února března dubna května června července srpna září října listopadu prosince
ocak şubat mart nisan mayıs haziran temmuz ağustos eylül ekim kasım aralık
январь февраль март апрель май июнь июль август сентябрь октябрь ноябрь декабрь
января февраля марта апреля мая июня июля августа сентября октября ноября декабря
"""
"""A language a line; German and Russian have two. Their beginnings count too (``Sept.``)."""

_MORE_MONTHS = {
    "uk": "січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня",
    "be": "студзеня лютага сакавіка красавіка мая чэрвеня ліпеня жніўня верасня кастрычніка лістапада снежня",
    "bg": "януари февруари март април май юни юли август септември октомври ноември декември",
    "sr": "јануар фебруар март април мај јун јул август септембар октобар новембар децембар",
    "bs": "januar februar mart april maj juni juli august septembar oktobar novembar decembar",
    "hr": "siječnja veljače ožujka travnja svibnja lipnja srpnja kolovoza rujna listopada studenoga prosinca",
    "sk": "januára februára marca apríla mája júna júla augusta septembra októbra novembra decembra",
    "sl": "januarja februarja marca aprila maja junija julija avgusta septembra oktobra novembra decembra",
    "hu": "január február március április május június július augusztus szeptember október november december",
    "ro": "ianuarie februarie martie aprilie mai iunie iulie august septembrie octombrie noiembrie decembrie",
    "el": "Ιανουαρίου Φεβρουαρίου Μαρτίου Απριλίου Μαΐου Ιουνίου Ιουλίου Αυγούστου Σεπτεμβρίου Οκτωβρίου Νοεμβρίου"
    " Δεκεμβρίου",
    "fi": "tammikuuta helmikuuta maaliskuuta huhtikuuta toukokuuta kesäkuuta heinäkuuta elokuuta syyskuuta lokakuuta"
    " marraskuuta joulukuuta",
    "et": "jaanuar veebruar märts aprill mai juuni juuli august september oktoober november detsember",
    "lv": "janvāris februāris marts aprīlis maijs jūnijs jūlijs augusts septembris oktobris novembris decembris",
    "lt": "sausio vasario kovo balandžio gegužės birželio liepos rugpjūčio rugsėjo spalio lapkričio gruodžio",
    "ca": "gener febrer març abril maig juny juliol agost setembre octubre novembre desembre",
    "is": "janúar febrúar mars apríl maí júní júlí ágúst september október nóvember desember",
    "id": "januari februari maret april mei juni juli agustus september oktober november desember",
    "ar": "يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
    "he": "בינואר בפברואר במרץ באפריל במאי ביוני ביולי באוגוסט בספטמבר באוקטובר בנובמבר בדצמבר",
}
"""Whole names count on any page, where no other language uses them for another month (Polish and Croatian do: their
``listopada`` lie a month apart); beginnings on pages of the language alone."""

# fmt: off
_ZONES: dict[str, float | str | None] = {
    "z": 0, "utc": 0, "gmt": 0, "ut": 0, "wet": 0, "bst": 1, "west": 1, "cet": 1, "mez": 1, "cest": 2, "mesz": 2,
    "eet": 2, "eest": 3, "msk": 3, "hkt": 8, "sgt": 8, "jst": 9, "kst": 9, "aest": 10, "aedt": 11, "nzst": 12,
    "nzdt": 13, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7,
    "et": "America/New_York", "ct": "America/Chicago", "mt": "America/Denver", "pt": "America/Los_Angeles",
    "北京时间": "Asia/Shanghai", "北京時間": "Asia/Shanghai", "日本時間": "Asia/Tokyo",
    "ist": None, "ast": None, "pkt": None, "art": None,
}
# fmt: on
"""Hours east of Greenwich, or a zone, or None for names that stand for several. American ones as in RFC 822. The own
names of the zone in use go first: to a Chinese site, CST is +8."""

_ERAS = {"令和": 2018, "平成": 1988, "民国": 1911, "民國": 1911}
_NUMERALS = {**{numeral: value for value, numeral in enumerate("〇一二三四五六七八九")}, "零": 0, "○": 0}

_ISO = re.compile(
    r"\d{4}-?(?:\d\d-?\d\d|W\d\d-?[1-7])(?:[T ]\d\d(?::?\d\d(?::?\d\d(?:[.,]\d+)?)?)?(?:Z|[+-]\d\d(?::?\d\d)?)?)?"
)
_DAY_OF_YEAR = re.compile(r"^(\d{4})-?(\d{3})(?=$|T)")
_MAIL_WITH_SHORT_YEAR = re.compile(r"((?:[a-z]{3}, )?\d{1,2} [a-z]{3}) (\d\d)(?= \d\d:\d\d)")
_IN_NUMERALS = re.compile(
    r"([〇零○一二三四五六七八九]{4})年([一二三四五六七八九十]{1,2})月([一二三四五六七八九十]{1,3})日"
)

_MORNING = r"上午|早上|清晨|凌晨|午前|오전|새벽"
_AFTERNOON = r"下午|午后|午後|傍晚|오후"
_TIME = re.compile(
    rf"""(?<![\d:])(?:(?P<half>{_MORNING}|{_AFTERNOON}|中午|晚上|晚间|深夜)\s?)?
    (?P<hour>\d{{1,2}})
    (?: \s?:\s?(?P<minute>\d\d) (?:\s?:\s?(?P<second>\d\d)(?:[.,](?P<fraction>\d{{1,9}}))?)?
      | \s?(?:[点點时時시]|(?:h|uhr)(?![a-z]))
        (?:\s?(?P<minute2>\d{{1,2}}(?!\d)|半)\s?[分분]?(?:\s?(?P<second2>\d{{1,2}})\s?[秒초])?)?
      | \.(?P<minute3>\d\d)(?=\s?uhr)
      | (?=\s?[ap]\.?\s?m\b) )
    (?![\d:]) (?:\s?(?P<ampm>[ap])\.?\s?m\b\.?)?""",
    re.VERBOSE,
)
_OFFSET = re.compile(r"\s?\(?(?:(?:utc|gmt)\s?([+-]\d{1,2}(?::?\d\d)?)|([+-]\d\d:?\d\d)|(?<=\d)([+-]\d\d))(?!\d)\)?")
_ZONE_NAME = re.compile(r"\s?\(?([a-z]{1,5}|[北日][京本][时時][间間])(?!\w)\)?")
_ZONE_BEFORE = re.compile(r"北京[时時][间間]|日本時間")

_TIME_WITH_DOT = re.compile(
    r"[\s,|-]{1,3}(?:kl\.?\s?|klo\s)?(?P<hour>\d{1,2})\.(?P<minute>\d\d)(?![\d.])"
    r"(?P<half>)(?P<ampm>)(?P<minute2>)(?P<minute3>)(?P<second>)(?P<second2>)(?P<fraction>)"
)
"""A time that only its place right behind a date makes known as one."""
_LOST_PLUS = re.compile(r"(\d\d:\d\d(?:\.\d+)?) (\d\d:?\d\d)$")
"""An offset whose plus was taken for the blank of a web form."""
_SHORT_SECOND = re.compile(r"(?<=t\d\d:\d\d:)(?=\d(?!\d))")
_SHORT_YEAR = re.compile(r"(?<![\d./-])(\d{1,2})([./])\s?(\d{1,2})\2\s?(\d\d)(?![\d./]|-\d|:)")
_HINT = re.compile(r"\d{4}\D{1,20}\d|\d\D{1,20}\d{4}|\d[./]\s?\d\d?[./]\s?\d\d|[年년]\s?\d")
"""What every date has within it."""
_NEAR = 40
"""Characters around a date in which its time of day may stand."""

_TH = r"(?:st|nd|rd|th|er|º|ª|°|\.)?"
_DE = r"(?:\s|-|\bde\b|\bdel\b|\bof\b)+"
_WORD = r"([^\W\d_]{3,})"
_WORDS = re.compile(_WORD)
_YMD = re.compile(r"(?<![\d.])(\d{4})\s?([-/.])\s?(\d{1,2})\s?\2\s?(\d{1,2})(?!\d|\.\d)")
_HAN = re.compile(
    r"(?<!\d)(?:(令和|平成|民国|民國)\s?(\d{1,3}|元)|(\d{4}))\s?[年년]\s?(\d{1,2})\s?[月월]\s?(\d{1,2})(?!\d)"
)
_DMY = re.compile(r"(?<![\d./-])(\d{1,2})([-/.])\s?(\d{1,2})\2\s?(\d{4})(?!\d)")
_DAY_MONTH_YEAR = re.compile(rf"(?=(?<!\d)(\d{{1,2}}){_TH}{_DE}{_WORD}\.?,?{_DE}(\d{{4}})(?!\d))")
_MONTH_DAY_YEAR = re.compile(rf"(?=(?<!\w){_WORD}\.?[\s-](\d{{1,2}}){_TH},?[\s-]\s*(\d{{4}})(?!\d))")
_YEAR_MONTH_DAY = re.compile(rf"(?=(?<!\d)(\d{{4}})[,.]?(?:\sm\.)?[\s-]{_WORD}\.?[\s-](\d{{1,2}})(?!\d))")
_HAN_WITHOUT_YEAR = re.compile(r"(?<![\d年년])(\d{1,2})\s?[月월]\s?(\d{1,2})(?!\d)")
_DAY_MONTH = re.compile(rf"(?=(?<!\d)(\d{{1,2}}){_TH}{_DE}{_WORD}(?!\w))")
_MONTH_DAY = re.compile(rf"(?=(?<!\w){_WORD}\.?[\s-](\d{{1,2}}){_TH}(?!\w))")


def parse(
    text: str,
    zone: ZoneInfo,
    *,
    formats: Sequence[str] = (),
    not_after: datetime | None = None,
    year_hint: int | None = None,
) -> datetime | None:
    """The moment that ``text`` states, with a zone; None for what is no whole date or none that can be.

    ``zone`` holds where the text names no offset. ``formats`` are strptime's and come first; among them ``epoch`` and
    ``epoch_ms`` allow ten digits of seconds and thirteen of milliseconds. ``not_after`` (with a zone) is when the page
    was fetched: a date more than a day later is refused, as is one before 1990. ``year_hint`` is the year of dates
    that are printed without one. A date without a time is midnight. Never raises on a text.
    """
    try:
        if len(text) == 19 and text[10] in " T" and text[4] == "-":  # what nearly every list says, read in C
            return _possible(datetime.fromisoformat(text), zone, not_after)
    except ValueError:
        pass
    if len(text) > LONGEST:
        return None
    line = " ".join(unicodedata.normalize("NFKC", text).split())
    for read in (_by_formats, _digits_alone, _iso, _words):
        try:
            if (moment := read(line, zone, formats, year_hint)) is not None:
                return _possible(moment, zone, not_after)
        except (ValueError, OverflowError):  # a thirteenth month, a thirtieth of February
            continue
    return None


@dataclass(frozen=True, slots=True)
class Moment:
    """A date as a page states it."""

    when: datetime
    """Without a zone (naive) where the page names none and no zone of the source is known."""
    timed: bool
    """Whether a time of day was stated; else ``when`` is that day's midnight."""

    def __str__(self) -> str:
        """ISO 8601, the day alone if nothing else was stated."""
        return self.when.isoformat() if self.timed else self.when.date().isoformat()


@dataclass(frozen=True, slots=True)
class Dated:
    """A date within a line, and where it stands there, with its time of day."""

    moments: tuple[Moment, ...]
    """One, or two where the order of day and month is open: the one likelier in the page's language first."""
    start: int
    end: int


def may_hold_date(text: str) -> bool:
    """Whether ``find`` may find something in a text not yet ``folded``: cheap, and sure where it says no."""
    return bool(_HINT.search(text) or ("年" in text and _IN_NUMERALS.search(text)))


def folded(text: str) -> str:
    """``text`` as ``find`` wants it: full-width signs and blanks made plain, in small letters."""
    if text.isascii():
        return " ".join(text.lower().split())
    line = " ".join(unicodedata.normalize("NFKC", text).lower().split())
    return _IN_NUMERALS.sub(_in_digits, line) if "年" in line else line


@lru_cache(maxsize=512)
def read(text: str, language: str = "") -> tuple[Moment, ...]:
    """What a statement that ought to be a date and nothing else says, two readings if its order is open.

    ``language`` is a small BCP 47 tag. Empty for what is no whole date, or none from ``FIRST_YEAR`` to ``LAST_YEAR``.
    """
    if not text or len(text) > LONGEST:
        return ()
    if _ISO.fullmatch(text) and (moment := _attempt(_iso, text)):  # as nearly all that machines are told
        return _within_years(Moment(moment, len(text) > 10))
    line = folded(text)
    iso = _SHORT_SECOND.sub("0", _LOST_PLUS.sub(r"\1+\2", line)).upper()
    for reader in (_iso, _digits_alone, _epoch):
        if moment := _attempt(reader, iso):
            return _within_years(Moment(moment, len(line) > 10 or reader is _epoch))
    if found := find(line, language):
        return found[0].moments
    moment = _attempt(_words, line)
    return _within_years(Moment(moment, bool(_TIME.search(line)))) if moment else ()


def _attempt(reader: Callable[[str, None, tuple[()], None], datetime | None], line: str) -> datetime | None:
    try:
        return reader(line, None, (), None)
    except (ValueError, OverflowError):
        return None


def find(line: str, language: str = "") -> Sequence[Dated]:
    """Every date in a ``folded`` line in order, with the time of day and the zone beside it. Never raises."""
    found = []
    for start, end in _windows(line):
        for dated in _find(line[start:end], language):
            found.append(Dated(dated.moments, dated.start + start, dated.end + start))
    return found


def _windows(line: str) -> Iterator[tuple[int, int]]:
    """The parts of a line in which there may be dates: most lines have none, and long ones few."""
    start = end = 0
    for hint in _HINT.finditer(line):
        if end and hint.start() - _NEAR > end:
            yield start, end
        if not end or hint.start() - _NEAR > end:
            start = max(hint.start() - _NEAR, end)
        end = min(hint.end() + _NEAR, len(line))
    if end:
        yield start, end


def _find(line: str, language: str) -> Iterator[Dated]:
    spans = _apart([span for span in _spans(line, language) if span[2]] or list(_short_years(line, language)))
    before = 0
    for n, (start, end, days) in enumerate(spans):
        after = spans[n + 1][0] if n + 1 < len(spans) else len(line)
        start, end, clock, zone = _time_beside(line, start, end, max(before, start - _NEAR), min(after, end + _NEAR))
        before = end
        whens = (datetime.combine(day, time(), zone) + (clock or timedelta(0)) for day in days)
        moments = tuple(moment for when in whens for moment in _within_years(Moment(when, clock is not None)))
        if moments:
            yield Dated(moments, start, end)


def _within_years(moment: Moment) -> tuple[Moment, ...]:
    return (moment,) if FIRST_YEAR <= moment.when.year <= LAST_YEAR else ()


def _epoch(line: str, *_: object) -> datetime | None:
    """Seconds or milliseconds since 1970, which machines write where they ought to write a date."""
    if not line.isdecimal() or len(line) not in (10, 13):
        return None
    return datetime.fromtimestamp(int(line) / (1 if len(line) == 10 else 1000), UTC)


def _apart(spans: list[tuple[int, int, tuple[date, ...]]]) -> Sequence[tuple[int, int, tuple[date, ...]]]:
    """The spans in order; of those that overlap, the one that begins first, and of these the longest."""
    kept: list[tuple[int, int, tuple[date, ...]]] = []
    for span in sorted(spans, key=lambda span: (span[0], -span[1])):
        if not kept or span[0] >= kept[-1][1]:
            kept.append(span)
    return kept


def _short_years(line: str, language: str) -> Iterator[tuple[int, int, tuple[date, ...]]]:
    """Dates with two digits for the year, of this century or the nineties."""
    for m in _SHORT_YEAR.finditer(line):
        year = int(m[4]) + (1900 if m[4] >= "90" else 2000)
        if days := _in_either_order(int(m[1]), int(m[3]), year, language, day_first=m[2] == "."):
            yield *m.span(), days


def _time_beside(
    line: str, start: int, end: int, first: int, last: int
) -> tuple[int, int, timedelta | None, tzinfo | None]:
    """Where a date and its time stand together, the time, and the zone: behind it, else before it.

    The zone is None where none is named, and where the name stands for several.
    """
    behind = _TIME.search(line, end, last) or _TIME_WITH_DOT.match(line, end, last)
    before = None if behind else next(reversed(list(_TIME.finditer(line, first, start))), None)
    found = behind or before
    try:
        clock = _clock(found) if found else None
    except ValueError:
        clock = None
    if not found or clock is None:
        return start, end, None, None
    try:
        zone, close = _zone_after(line, found.end(), None)
    except ValueError:
        zone, close = None, found.end()
    return min(start, found.start()), max(end, close), clock, zone


def _possible(moment: datetime, zone: tzinfo, not_after: datetime | None) -> datetime | None:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        return None
    return None if not_after is not None and moment - _DAY > not_after else moment


def _by_formats(line: str, zone: tzinfo, formats: Sequence[str], year_hint: int | None) -> datetime | None:
    for form in formats:
        try:
            moment = _by_format(line, form, zone, year_hint)
        except (ValueError, OverflowError):
            continue
        if moment is not None:
            return moment
    return None


def _by_format(line: str, form: str, zone: tzinfo, year_hint: int | None) -> datetime | None:
    if form in ("epoch", "epoch_ms"):
        digits, unit = (10, 1) if form == "epoch" else (13, 1000)
        return datetime.fromtimestamp(int(line) / unit, zone) if line.isdecimal() and len(line) == digits else None
    if not re.search("%[dj]", form) or not re.search("%[bBmj]", form):
        return None
    if re.search("%[yYG]", form):
        return datetime.strptime(line, form)
    return datetime.strptime(f"{year_hint} {line}", f"%Y {form}") if year_hint else None


def _digits_alone(line: str, *_: object) -> datetime | None:
    layout = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}.get(len(line))
    return datetime.strptime(line, layout) if layout and line.isdecimal() else None


def _iso(line: str, *_: object) -> datetime | None:
    line = _DAY_OF_YEAR.sub(_calendar_date, line, count=1)
    return datetime.fromisoformat(line) if _ISO.fullmatch(line) else None


def _calendar_date(match: re.Match[str]) -> str:
    day = date(int(match[1]), 1, 1) + _DAY * (int(match[2]) - 1)
    return day.isoformat() if day.year == int(match[1]) else match[0]


def _words(line: str, zone: tzinfo | None, _: Sequence[str], year_hint: int | None) -> datetime | None:
    """A date among words, whose time may stand on either side of it or in its middle."""
    line = _IN_NUMERALS.sub(_in_digits, line.lower())
    line = _MAIL_WITH_SHORT_YEAR.sub(_full_year, line)
    clock, where, rest = _take_time(line, zone)
    if _TIME.search(rest):
        return None
    days = set(_dates(rest)) or set(_dates_without_year(rest, year_hint))
    day = days.pop() if len(days) == 1 else None
    return datetime.combine(day, time(), where) + clock if day else None


def _take_time(line: str, zone: tzinfo | None) -> tuple[timedelta, tzinfo | None, str]:
    """Time of day, its zone, and what is left of the line without them."""
    found = _TIME.search(line)
    if not found:
        return timedelta(0), zone, line
    where, end = _zone_after(line, found.end(), zone)
    return _clock(found), where, f"{line[: found.start()]} {line[end:]}"


def _in_digits(match: re.Match[str]) -> str:
    year = "".join(str(_NUMERALS[numeral]) for numeral in match[1])
    return f"{year}年{_below_hundred(match[2])}月{_below_hundred(match[3])}日"


def _below_hundred(numerals: str) -> int:
    tens, ten, ones = numerals.rpartition("十")
    return (_NUMERALS.get(tens, 1) if ten else 0) * 10 + _NUMERALS.get(ones, 0)


def _full_year(match: re.Match[str]) -> str:
    """RFC 2822, 4.3: 00 to 49 are of this century, 50 to 99 of the last."""
    return f"{match[1]} {'20' if match[2] < '50' else '19'}{match[2]}"


def _clock(match: re.Match[str]) -> timedelta:
    hour = int(match["hour"])
    minute = int((match["minute"] or match["minute2"] or match["minute3"] or "0").replace("半", "30"))
    second = int(match["second"] or match["second2"] or 0)
    hour = _hour_of_day(hour, match["half"] or {"a": "上午", "p": "下午"}.get(match["ampm"] or "", ""))
    if minute > 59 or second > 59 or hour > 24 or (hour == 24 and (minute or second)):
        raise ValueError(f"{match[0]!r} is no time of day")
    fraction = (match["fraction"] or "")[:6].ljust(6, "0")
    return timedelta(hours=hour, minutes=minute, seconds=second, microseconds=int(fraction))


def _hour_of_day(hour: int, half: str) -> int:
    if not half or hour > 12:
        return hour
    if re.fullmatch(_MORNING, half):
        return hour % 12
    if re.fullmatch(_AFTERNOON, half):
        return hour % 12 + 12
    if half == "中午":
        return hour if hour > 10 else hour + 12
    if 5 <= hour < 12:
        return hour + 12
    raise ValueError(f"{half}{hour} may be of either day")


def _zone_after(line: str, start: int, zone: tzinfo | None) -> tuple[tzinfo | None, int]:
    """The zone that is named behind a time, else ``zone``, and where the name ends. ValueError if it is open which."""
    if offset := _OFFSET.match(line, start):
        return _fixed(offset[1] or offset[2] or offset[3]), offset.end()
    if name := _ZONE_NAME.match(line, start):
        if name[1] in _names_of(zone):
            return zone, name.end()
        if name[1] in _ZONES:
            return _named(name[1]), name.end()
    before = _ZONE_BEFORE.search(line)
    return (_named(before[0]) if before else zone), start


def _fixed(offset: str) -> tzinfo:
    digits = offset[1:].replace(":", "")
    hours, minutes = (int(digits[:-2]), int(digits[-2:])) if len(digits) > 2 else (int(digits), 0)
    if hours > 14 or minutes > 59:
        raise ValueError(f"{offset!r} is no offset from Greenwich")
    return timezone(timedelta(hours=hours, minutes=minutes) * (-1 if offset[0] == "-" else 1))


def _named(name: str) -> tzinfo:
    found = _ZONES[name]
    if isinstance(found, str):
        return ZoneInfo(found)
    if found is None:
        raise ValueError(f"{name!r} is the name of several zones")
    return timezone(timedelta(hours=found))


@lru_cache(maxsize=64)
def _names_of(zone: tzinfo | None) -> frozenset[str]:
    names = (datetime(2022, month, 1, tzinfo=zone).tzname() for month in (1, 7))
    return frozenset(name.lower() for name in names if name)


def _dates(text: str) -> Iterator[date | None]:
    """Every whole date in ``text``; None for one whose order is open, or that no calendar has."""
    for _, _, days in _spans(text):
        yield days[0] if len(days) == 1 else None


def _spans(text: str, language: str = "") -> Iterator[tuple[int, int, tuple[date, ...]]]:
    """Every whole date in ``text`` and where it stands: two where the order is open, none if no calendar has it."""
    for m in _YMD.finditer(text):
        yield *m.span(), _on(int(m[1]), int(m[3]), int(m[4]))
    for m in _HAN.finditer(text) if "年" in text or "년" in text else ():
        year = int(m[3]) if m[3] else _ERAS[m[1]] + (1 if m[2] == "元" else int(m[2]))
        yield *m.span(), _on(year, int(m[4]), int(m[5]))
    for m in _DMY.finditer(text):
        yield *m.span(), _in_either_order(int(m[1]), int(m[3]), int(m[4]), language, day_first=m[2] == ".")
    if not any(_month(word, language) for word in _WORDS.findall(text)):
        return
    for form, day, month, year in ((_DAY_MONTH_YEAR, 1, 2, 3), (_MONTH_DAY_YEAR, 2, 1, 3), (_YEAR_MONTH_DAY, 3, 2, 1)):
        for m in form.finditer(text):
            if n := _month(m[month], language):
                yield m.start(1), m.end(3), _on(int(m[year]), n, int(m[day]))


def _on(year: int, month: int, day: int) -> tuple[date, ...]:
    try:
        return (date(year, month, day),)
    except ValueError:
        return ()


def _in_either_order(one: int, two: int, year: int, language: str, *, day_first: bool) -> tuple[date, ...]:
    by_day, by_month = _on(year, two, one), _on(year, one, two)
    if day_first or one > 12 or one == two:
        return by_day
    if two > 12:
        return by_month
    return by_month + by_day if _month_first(language) else by_day + by_month


def _month_first(language: str) -> bool:
    """Whether 3/4 is in March: so in the United States, to which English without a country is ascribed."""
    return language in ("en", "en-us", "en-ph", "es-us")


def _dates_without_year(text: str, year: int | None) -> Iterator[date]:
    if year is None:
        return
    yield from (date(year, int(m[1]), int(m[2])) for m in _HAN_WITHOUT_YEAR.finditer(text))
    for form, day, month in ((_DAY_MONTH, 1, 2), (_MONTH_DAY, 2, 1)):
        yield from (date(year, n, int(m[day])) for m in form.finditer(text) if (n := _month(m[month])))


@lru_cache(maxsize=4096)
def _month(word: str, language: str = "") -> int | None:
    return _months(language.partition("-")[0]).get(_bare(word))


@lru_cache(maxsize=64)
def _months(language: str = "") -> Mapping[str, int]:
    """Month by name, bare of accents, and by every beginning of three letters or more that no other month shares."""
    if language in _MORE_MONTHS:
        return {**_months(), **_beginnings(_MORE_MONTHS[language])}
    common = _beginnings(_MONTHS)
    more: dict[str, set[int]] = {}
    for name, n in _names("\n".join(_MORE_MONTHS.values())):
        more.setdefault(name, set()).add(n)
    return {name: n for name, (n, *others) in more.items() if not others} | common


def _beginnings(names: str) -> dict[str, int]:
    found: dict[str, set[int]] = {}
    for name, n in _names(names):
        for end in range(3, len(name) + 1):
            found.setdefault(name[:end], set()).add(n)
    return {start: n for start, (n, *others) in found.items() if not others} | dict(_names(names))


def _names(lines: str) -> Iterator[tuple[str, int]]:
    return ((_bare(name), n) for line in lines.split("\n") for n, name in enumerate(line.split(), 1))


def _bare(word: str) -> str:
    if word.isascii():
        return word.lower()
    return "".join(c for c in unicodedata.normalize("NFKD", word.lower()) if not unicodedata.combining(c))
