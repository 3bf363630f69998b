"""A credit in one line of text: by label, by phrase, in a dateline, at the tail; and what of it is a name.

What counts and what does not was measured on some 130 Chinese and 440 other pages: a credit that names nobody
(转载, 网络, 本站原创) is none; sources of pictures and data are others' (图片来源, 资料来源); 来源 in a longer word is
prose (收入来源).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice

from crawler.extract.text import ZERO_WIDTH, squeeze


@dataclass(frozen=True, slots=True)
class Credit:
    """A credited outlet."""

    raw: str
    """As printed, blanks squeezed; several names stay one text."""
    rule: str
    """What matched: ``label:来源``, ``meta:mediaid``, ``dateline``, ``tail``, …"""


GAP, SEAM = "\ufdd0", "\ufdd1"
"""In a line, a gap is where one thing ends and the next begins, a seam where markup runs through a word. Both are
noncharacters: no blank to a pattern, no letter to a name."""
LONG_NAME = 40
"""Characters: no outlet's name is longer; several together may be twice as long."""
_LONG_LINE = 120
"""Characters: in a longer paragraph a label must open or close it, or stand in brackets."""
_LABELS_TRIED = 8
"""In one line; the rest is noise, or an attack."""

_NO_WIDTH = re.compile(f"[{ZERO_WIDTH}]")
_WIDE_BLANKS = re.compile(r"[^\S\n\u3000]*[\u3000\n]\s*|\s{2,}")
_BLANK = re.compile(r"[^\S ]")
_OPEN, _CLOSE = "（(【[〔〖", "）)】]〕〗"
_MATES = dict(zip(_CLOSE, _OPEN, strict=True))
_HAN = "\u3400-\u9fff"
_BLANKS = r"[\s\ufdd0\ufdd1]"

LABEL = re.compile(
    r"(?P<label>(?:文章|本文|信息|資訊|资讯|稿件|新闻|新聞|内容|原文)[来來]源[于於自]?|[来來][\s\ufdd0\ufdd1]{0,6}源[于於自]?"
    r"|稿源|供稿(?:单位)?|(?:本文|文章)?(?:转载自|轉載自|转自|轉自)|출처)"
)
_LABEL_HINT = re.compile("[源稿转轉출]")
_SEPARATOR = re.compile(rf"\s*(?P<sign>[:：丨｜|/／]?){_BLANKS}*")
_LETTER_BEFORE = re.compile(rf"[{_HAN}가-힣A-Za-z]$")
_CLOCK_BEFORE = re.compile(r"\d\s?[日号时時分秒]$")
_PICTURE_BEFORE = re.compile(
    r"(?:图片|圖片|照片|摄影|资料|資料|数据|數據|사진|이미지|자료"
    r"|(?:^|[\s（(【\[\ufdd0])(?:图|圖|表|图表|视频|封面))[\s/／、·]*$"
)
_QUOTE_BEFORE = re.compile("[“‘\"'「『《〈]$")

_LATIN_LABEL = re.compile(
    r"(?:^|[(（\[\ufdd0]|(?<=[.!?…] ))\s*(?P<label>(?:Original )?Source|SOURCE|(?:Text)?[Qq]uelle|QUELLE"
    r"|Bron|Fuente|Fonte|Kilde|Källa|Kaynak|Źródło|Zdroj|Lähde|Источник)\s?[:：]\s*"
)
_UP_TO = r"[^,;()]+?)(?=[.,;()](?:\s|$)|$"
_PHRASE = re.compile(
    r"(?:This|The) (?:article|story|post|piece|column|report|interview|essay)(?: \S+){0,6}? (?:(?:was|is|has been) )?"
    r"(?:(?:originally|first) (?:published|appeared)|republished|reprinted|reproduced)"
    rf" (?:by|in|on|at|from|with permission from) (?:the )?(?P<en>{_UP_TO}| (?:and|under|on|in|with|as|at) )"
    rf"|^The post .{{1,200}} (?:appeared first|first appeared) on (?P<feed>{_UP_TO})"
    rf"|^(?:With files from|Originally published (?:by|in|on|at)) (?:the )?(?P<foot>{_UP_TO})"
    r"|Dieser (?:Artikel|Text|Beitrag) (?:erschien|ist) (?:zuerst|zunächst|ursprünglich)"
    rf" (?:bei|auf|in|im)(?: der| dem)? (?P<de>{_UP_TO}| erschienen)"
    rf"|Cet article (?:est paru|a été publié)(?: \w+ment)? (?:sur|dans|par) (?P<fr>{_UP_TO})"
    rf"|Este artículo (?:fue|se) public(?:ado|ó) originalmente (?:en|por) (?P<es>{_UP_TO})"
)
_LATIN_LABEL_WORDS = (
    "ource:", "ource :", "ource：", "OURCE", "uelle:", "uelle :", "uelle：", "QUELLE", "Bron", "Fuente", "Fonte",
    "Kilde", "Källa", "Kaynak", "Źródło", "Zdroj", "Lähde", "Источник",
)  # fmt: skip
"""One of them stands in every line with such a label."""
_PHRASE_WORDS = ("published", "printed", "produced", "appeared", "files", "Dieser", "Cet", "Este")
"""One of them stands in every such phrase."""

_OTHER_LABELS = (
    "作者|编辑|編輯|责任编辑|責任編輯|责编|責編|责任|时间|時間|日期|发布|發佈|发表|更新|举报|分享|记者|記者|撰文|撰稿|摄影|阅读|閱讀|浏览|点击"
    "|人气|评论|字号|字体|打印|收藏|审核|校对|监制|编审|原标题|标题|关键词|关键字|栏目|频道|声明|免责|版权|语音|链接|原文|我要|投稿"
)
_STOP = re.compile(
    rf"(?:{_OTHER_LABELS})[\s\ufdd1]*[:：]|[\s\ufdd1](?:{_OTHER_LABELS})|(?:举报|分享)$|\s\S{{1,8}}\s?[:：]"
    r"|\d{4}[-/.年]\d|\d{1,2}月\d{1,2}日|\d{1,2}[:：]\d\d|[\ufdd0|丨｜。；;！!？?，]|https?:|www\."
)
_LATIN_STOP = re.compile(r"[\ufdd0|;!?]|(?<!\b[A-Z])\.(?:\s|$)|\s[-–—]\s|https?:|www\.")

_NET = (
    "网络|网路|網路|網絡|互联网|因特网|网上|网友|網友|公开(?:资料|信息|报道)?|其[他它](?:媒体|网站)?|各?大?媒体"
    "|外电|自媒体|第三方|官网|官方"
)
_DOING = "综合|整理|转载|收集|采集|搜集|资料|媒体|文章|作品|报道|新闻|投稿|供稿|等|图文|平台|的"
_OWN = "本站|本网站?|本报|本刊|本社|本台|本店|本公众号|本号|我站|我网|站内|校内|站长|作者"
_OWN_DOING = "原创|综合|整理|编辑|编译|记者|讯|报道|独家|转载|采编|文章|作品|内容|稿件?"
_NOBODY = re.compile(
    rf"(?:来源于?|来自|根据|转载自?|转自?|摘自?|综合)*(?:{_NET})?(?:{_DOING})*|(?:{_OWN})?(?:{_OWN_DOING})*"
    r"|独家|未知|不明|不详|佚名|匿名|暂无|无|没有|未注明|未标明|小编|管理员|用户|全部|不限|点击查看|见文末|X+"
    r"|(?:the )?(?:inter)?net|web|online|unknown|various|none|null|undefined|n/?a|admin|staff|own|here|link"
    r"|(?:(?:with|from|and|al) )?(?:news )?(?:agencies|agency|wires?)|(?:eigene )?redaktion|agenturen|recherche",
    re.IGNORECASE,
)
_PICTURES = re.compile(
    r"^(?:Foto|Photo|Bild|Image)\b|\b(?:Images?|Photos?|Pictures|Stock|Fotos?|Archivo?)$|[©@=]|\bvia\b", re.IGNORECASE
)

_HAN_DATELINE = re.compile(
    rf"(?:[（(【][^）)】]{{0,20}}[）)】])?(?P<name>[{_HAN}A-Za-z]{{2,9}}?(?:社|网|報|报|台|新闻|财经|客户端)(?![网社报台]))"
    rf"[{_HAN}]{{0,10}}?(?:\d{{1,2}}月)?\d{{1,2}}日[，,]?(?:电|電|讯|訊|消息|专电|综合|报道)"
)
_FIRST_HAND = ("本", "据", "我")
_DATELINE = re.compile(r"(?P<place>[^()\d]{0,60}(?:\d{1,2}\D{0,12})?)\((?P<name>[^()]{2,40})\)\s*[-–—]+\s*\S")
_LOUD_PLACE = re.compile(r"[A-ZÀ-Þ][A-ZÀ-Þ .'’/-]+(?:,[^()]{0,40})?")
_NO_OUTLET = re.compile(r"update\b|video|photo|archiv|audio|live|opinion|exclusi|sponsor|advert|watch", re.IGNORECASE)
_TAIL = re.compile(r"(?:^|[.!?…:“”\"'»’)\d]\s*|^©.*\s)\((?P<name>[^()]{2,40})\)\s*\.?$")
_BETWEEN_AGENCIES = re.compile(r"\s*[/,;|&+]\s*|\s+(?:und|and|et|y|e)\s+")


def gapped(text: str) -> str:
    """``text`` as one line, with a gap for every break and for blanks of two columns or more."""
    return marked(text.strip()).strip(f" {GAP}")


def marked(text: str) -> str:
    """A stretch of text within a line, its wide blanks gaps and all others single spaces."""
    if text.isprintable() and "  " not in text:  # as nearly every paragraph; the patterns take twenty times as long
        return text
    seen = _NO_WIDTH.sub("", text).replace(SEAM, GAP)
    return _BLANK.sub(" ", _WIDE_BLANKS.sub(GAP, seen))


def by_label(line: str) -> Credit | None:
    """The first credit in a line that has a label or a phrase of its own and names somebody."""
    return _by_han_label(line) or _by_latin_label(line) or _by_phrase(line)


def by_dateline(line: str, agencies: Collection[str]) -> Credit | None:
    """The agency in the dateline that opens a line: ``新华社北京4月24日电``, ``BERLIN (dpa) -``, ``(Reuters) -``.

    Not only known agencies: a place in capitals, or none, is proof enough for a name that begins with one.
    """
    if "日" in line and (found := _HAN_DATELINE.match(line)) and not found["name"].startswith(_FIRST_HAND):
        return Credit(found["name"], "dateline")
    found = _DATELINE.match(line) if "(" in line[:80] else None
    if not found or _NO_OUTLET.match(found["name"]):
        return None
    place, text = found["place"].strip(), name_in(found["name"])
    loud = (not place or _LOUD_PLACE.fullmatch(place)) and text[:1].isupper() and len(text.split()) <= 3
    return Credit(text, "dateline") if text and (loud or _agency(text, agencies)) else None


def by_tail(line: str, agencies: Collection[str]) -> Credit | None:
    """The agency in the bracket behind a line's last sentence; only a known one, for initials stand there as well."""
    found = _TAIL.search(line) if line.rstrip(" .").endswith(")") else None
    text = name_in(found["name"]) if found else ""
    return Credit(text, "tail") if text and _agency(text, agencies) else None


def name_in(value: str) -> str:
    """``value`` as a name; empty if it is none or names nobody."""
    text = squeeze(value.replace(SEAM, "").replace(GAP, " ")).strip(" -—–·、,，.。/／|>»›*#:：")
    bare = unwrapped(text).strip("“”\"' ")
    longest = 2 * LONG_NAME if re.search("[、/ ]", bare) else LONG_NAME
    if not any(map(str.isalpha, bare)) or len(bare) > longest or re.search(r"[:：=@<>]|//", bare):
        return ""
    return "" if _NOBODY.fullmatch(bare) else text


def latin_name_in(value: str) -> str:
    """A name of any script that is no picture's credit, no person before an agency, and no sentence."""
    text = name_in(value)
    photographer = re.match(r"[^/]* [^/]*/", text)
    words = len(text.split())
    if not text or photographer or _PICTURES.search(text) or words > 8 or len(text) > 1.5 * LONG_NAME:
        return ""
    return text if words == 1 or text[0].isupper() or not text[0].isascii() else ""


def unwrapped(text: str) -> str:
    """``text`` without the brackets that hold it as a whole."""
    while len(text) > 2 and opening_bracket(text) == 0 and _MATES[text[-1]] == text[0]:
        text = text[1:-1].strip()
    return text


def opening_bracket(line: str) -> int | None:
    """Where the bracket opens that the last character closes; None where it closes none."""
    depth = 0
    for at in range(len(line) - 1, -1, -1):
        depth += (line[at] in _CLOSE) - (line[at] in _OPEN)
        if depth == 0:
            return at if line[-1] in _CLOSE else None
    return None


def _by_han_label(line: str) -> Credit | None:
    labels = LABEL.finditer(line) if not line.isascii() and _LABEL_HINT.search(line) else ()
    for match in islice(labels, _LABELS_TRIED):
        if text := name_in(_value(line, match)):
            return Credit(text, "label:" + re.sub(_BLANKS, "", match["label"]))
    return None


def _by_latin_label(line: str) -> Credit | None:
    labels = _LATIN_LABEL.finditer(line) if any(word in line for word in _LATIN_LABEL_WORDS) else ()
    for match in labels:
        if text := latin_name_in(_until(line, match.end(), _LATIN_STOP)):
            return Credit(text, f"label:{match['label']}")
    return None


def _by_phrase(line: str) -> Credit | None:
    phrases = _PHRASE.finditer(line.replace(GAP, " ")) if any(word in line for word in _PHRASE_WORDS) else ()
    for match in phrases:
        text = latin_name_in(match[match.lastgroup or 0])
        if text and not text[0].islower():
            return Credit(text, "phrase")
    return None


def _value(line: str, match: re.Match[str]) -> str:
    """The value of a Chinese label; empty where the label is a part of a longer word, a quotation or prose."""
    before = line[max(0, match.start() - 16) : match.start()].rstrip(f" {SEAM}")
    if _is_part_of_another(before, apart=line[match.start() - 1 : match.start()] in ("", " ", SEAM)):
        return ""
    separator = _SEPARATOR.match(line, match.end())
    assert separator  # it may match nothing
    value = _until(line, separator.end(), _STOP)
    wrapped = before.endswith(tuple(_OPEN))
    ends = not line[separator.end() + len(value) :].strip(f" {GAP}{_CLOSE}。.")
    if not (wrapped or separator["sign"] or _bare_label_will_do(line, before, match["label"], separator[0], ends)):
        return ""
    in_the_midst = before and not before.endswith(GAP) and not ends
    return "" if len(line) > _LONG_LINE and in_the_midst and not wrapped else value


def _is_part_of_another(before: str, *, apart: bool) -> bool:
    """Whether what stands before a label makes another word of it, a quotation (注明“来源：…”) or a picture's label."""
    grown = not apart and _LETTER_BEFORE.search(before) and not _CLOCK_BEFORE.search(before)
    return bool(grown or _QUOTE_BEFORE.search(before) or _PICTURE_BEFORE.search(before))


def _bare_label_will_do(line: str, before: str, label: str, gap: str, ends: bool) -> bool:
    """Whether a label without a colon is one: 来源 must stand apart in a short line, 转自 open and end it."""
    marked_up = SEAM in gap or GAP in gap
    if label.startswith(("供稿", "출처")) or (len(line) > LONG_NAME and not marked_up):
        return False
    if label[-1] in "自于於":
        return not before and ends
    return bool(gap) and (not before or before[-1] in f"{GAP}|丨｜" or before[-1].isdigit())


def _until(line: str, start: int, stop: re.Pattern[str]) -> str:
    """What follows ``start`` up to a stop, or to a bracket that closes what was opened before."""
    line = line[: start + 3 * LONG_NAME]  # whatever is longer is no name
    found = stop.search(line, start)
    value = line[start : found.start() if found else len(line)]
    depth = 0
    for at, char in enumerate(value):
        depth += (char in _OPEN) - (char in _CLOSE)
        if depth < 0:
            return value[:at]
    return value


def _agency(text: str, agencies: Collection[str]) -> bool:
    known = {agency.casefold() for agency in agencies}
    return any(part.casefold() in known for part in (text, *_BETWEEN_AGENCIES.split(text)))
