"""A site's language, time zone and name, by what its pages say; and what of that is only a guess."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from crawler.extract.article import Extracted

ZONES = {
    "at": "Europe/Vienna", "au": "Australia/Sydney", "be": "Europe/Brussels", "br": "America/Sao_Paulo",
    "ca": "America/Toronto", "ch": "Europe/Zurich", "cn": "Asia/Shanghai", "cz": "Europe/Prague",
    "de": "Europe/Berlin", "dk": "Europe/Copenhagen", "es": "Europe/Madrid", "fi": "Europe/Helsinki",
    "fr": "Europe/Paris", "gr": "Europe/Athens", "hk": "Asia/Hong_Kong", "hu": "Europe/Budapest",
    "ie": "Europe/Dublin", "il": "Asia/Jerusalem", "in": "Asia/Kolkata", "it": "Europe/Rome", "jp": "Asia/Tokyo",
    "kr": "Asia/Seoul", "mx": "America/Mexico_City", "nl": "Europe/Amsterdam", "no": "Europe/Oslo",
    "nz": "Pacific/Auckland", "pl": "Europe/Warsaw", "pt": "Europe/Lisbon", "ru": "Europe/Moscow",
    "se": "Europe/Stockholm", "sg": "Asia/Singapore", "tr": "Europe/Istanbul", "tw": "Asia/Taipei",
    "ua": "Europe/Kyiv", "uk": "Europe/London", "us": "America/New_York", "za": "Africa/Johannesburg",
}  # fmt: skip
"""Country -> its zone, or the one of its largest newspapers."""
_GREAT = (
    "America/New_York", "America/Chicago", "America/Los_Angeles", "Europe/London", "Europe/Berlin", "Asia/Shanghai",
    "Asia/Tokyo", "Asia/Kolkata", "Europe/Moscow",
)  # fmt: skip
"""Of zones with one offset these are thought of first."""
LANGUAGES = {
    "cs": "cz", "da": "dk", "de": "de", "el": "gr", "en": "", "es": "es", "fi": "fi", "fr": "fr", "he": "il",
    "hu": "hu", "it": "it", "ja": "jp", "ko": "kr", "nl": "nl", "no": "no", "nb": "no", "pl": "pl", "pt": "pt",
    "ru": "ru", "sv": "se", "tr": "tr", "uk": "ua", "zh": "cn",
}  # fmt: skip
"""Language -> the country that most of its sites are in; empty where nobody can say."""
_SCRIPTS = (
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("ko", re.compile(r"[\uac00-\ud7a3]")),
    ("zh", re.compile(r"[\u4e00-\u9fff]")),
    ("ru", re.compile(r"[\u0400-\u04ff]")),
    ("ar", re.compile(r"[\u0600-\u06ff]")),
    ("el", re.compile(r"[\u0370-\u03ff]")),
)
_TAG = re.compile(r"([a-z]{2,3})((?:-[a-z0-9]{2,8})*)", re.IGNORECASE)
_QUARTER = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Guess:
    """A value and how it came about."""

    value: str
    why: str
    sure: bool = True


def language_of(pages: Sequence[Extracted], also: str = "") -> Guess:
    """What the pages state, most of them; else by their script. ``also``: what a feed states."""
    stated = Counter(one.language for one in pages if one.language)
    for said, why in ((stated.most_common(1)[0][0] if stated else "", "pages"), (also.lower(), "feed")):
        if match := _TAG.fullmatch(said.replace("_", "-")):
            return Guess(_written(match), f"stated by its {why}")
    text = " ".join(one.title + one.text[:500] for one in pages)
    for tag, script in _SCRIPTS:
        if len(script.findall(text)) * 5 > len(text):
            return Guess(tag, "by its script", sure=False)
    return Guess("en", "nothing says so", sure=False)


def _written(match: re.Match[str]) -> str:
    """``zh-CN``, ``en-GB``, ``zh-Hans`` as they are written."""
    parts = match[2].split("-")[1:]
    written = [part.upper() if len(part) == 2 else part.title() if len(part) == 4 else part for part in parts]
    return "-".join((match[1].lower(), *written))


def zone_of(url: str, language: str, pages: Sequence[Extracted], listed: Mapping[str, datetime] = {}) -> Guess:
    """By the offsets of its dates, told apart by country and language; without any by these alone.

    ``listed``: when a feed says that the article at an address was published.
    """
    likely = list(dict.fromkeys(_likely(url, language)))
    moments = [moment for one in pages for moment in _local(one, listed.get(one.url))]
    moments = moments or [moment for moment in listed.values() if moment.utcoffset()]
    if not moments:
        zone = likely[0] if likely else "UTC"
        return Guess(zone, "its dates name no offset; by its address and language", sure=False)
    for zone in (*likely, *_GREAT, *dict.fromkeys(ZONES.values()), "UTC"):
        if all(moment.astimezone(ZoneInfo(zone)).utcoffset() == moment.utcoffset() for moment in moments):
            offset = moments[0].strftime("%z")
            return Guess(zone, f"its dates say {offset[:3]}:{offset[3:5]}", sure=zone in likely)
    return Guess(likely[0] if likely else "UTC", "its dates have offsets of several zones", sure=False)


def _likely(url: str, language: str) -> Iterator[str]:
    """Zones by country: of the host, of the language tag, of the language."""
    country = (urlsplit(url).hostname or "").rpartition(".")[2]
    region = language.rpartition("-")[2].lower() if "-" in language else ""
    usual = LANGUAGES.get(language.partition("-")[0].lower(), "")
    for one in (country, {"gb": "uk"}.get(region, region), usual):
        if one in ZONES:
            yield ZONES[one]


def _local(one: Extracted, listed: datetime | None) -> Iterator[datetime]:
    """The moment of a page with its own offset: as stated, or, where it is stated in UTC or in a feed alone, as the
    difference to what is printed for readers."""
    choice = one.evidence.get("published")
    if one.published is None or choice is None or not one.published.timed:
        return
    when, stated = one.published.when, [candidate.value for candidate in choice.rejected]
    if when.utcoffset():
        yield when
        return
    printed = [moment.when for moment in (one.published, *stated) if moment.timed and moment.when.tzinfo is None]
    known = listed if when.tzinfo is None else when
    for local in printed if known else ():
        assert known is not None
        apart = local - known.astimezone(UTC).replace(tzinfo=None)
        whole = round(apart / _QUARTER) * _QUARTER
        if abs(apart - whole) < timedelta(minutes=2) and abs(whole) <= timedelta(hours=14):
            yield known.astimezone(timezone(whole))
            return


def name_of(url: str, pages: Sequence[Extracted], also: str = "") -> str:
    """The site's own name, as most of its pages say it; else ``also``, what a feed calls it, else its host."""
    host = (urlsplit(url).hostname or "site").removeprefix("www.")
    said = Counter(one.publisher for one in pages if one.publisher and one.publisher != host)
    return said.most_common(1)[0][0] if said else also or host


def id_of(url: str, name: str, slug: Callable[[str], str]) -> str:
    """A short name for the source: the host without what all hosts have; of a bare address the slug of the site's
    name."""
    host = (urlsplit(url).hostname or "").lower()
    labels = [label for label in host.split(".") if label not in ("www", "m", "news", "en")]
    if re.fullmatch(r"[\d.]+|localhost|\[?[0-9a-f:]*\]?", host):
        return (re.sub(r"[^a-z0-9]+", "-", slug(name).lower()).strip("-") or "site")[:60].strip("-")
    known = [label for label in labels[:-1] if label not in ("com", "co", "org", "net", "gov", "edu", "ac")]
    return re.sub(r"[^a-z0-9-]+", "-", (known or labels or ["site"])[-1]).strip("-")[:60] or "site"
