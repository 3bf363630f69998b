"""A byline in one line of text: the names in it, without what goes before and behind them (By, roles, places, dates).

What counts as a name was measured on some 600 pages in twenty languages; the lists of words are those of newsrooms.
"""

from __future__ import annotations

import re
from itertools import islice

from crawler.extract.text import squeeze

_LONGEST_LINE = 400
"""Characters of a signature that are read."""
_LONGEST_NAME = 60
_MOST_NAMES = 40

_HAN = "\u3400-\u9fff"
_HAN_NAME = rf"[{_HAN}]{{2,4}}(?:·[{_HAN}]{{1,8}})?"
_BY = r"(?:by|von|vom|par|por|di|da|av|af|door|przez|oleh|autor)"
_DONE = (
    r"(?:written|words|posted|reported|published|story|text|article|report|analysis|opinion|review|photos? and text|"
    r"created|submitted|added|artikel|beitrag|text|kommentar|analyse|interview|gastbeitrag|kolumne|reportage|"
    r"(?:ein|eine) \w{3,20}|geschrieben|veröffentlicht|verfasst|eingestellt|gepostet|publiziert|erstellt|"
    r"escrito|publicado|postado|publié|écrit|rédigé|propos recueillis|scritto|pubblicato|a cura)"
)
_PREFIX = re.compile(
    rf"(?:^|.{{0,60}}[\d|•·,;:]\s*|.{{0,60}}\b(?:uhr|am|pm|utc|gmt)\s+)(?:{_DONE}\s+)?{_BY}(?:\s*:\s*|\s+)(?=\S)",
    re.IGNORECASE,
)
_ONLY_BY = re.compile(rf"(?:{_DONE})?(?:\s*{_BY})?|and|und|et|y|e|og|och|en", re.IGNORECASE)
_LABEL = re.compile(
    r"^\W*(?:(?:über )?(?:den |die )?autor(?:/?in|en|es|as)?|(?:the )?authors?|auteur[es]*|autore|text|words|story|"
    r"reporter|writer|written|redakteur(?:in)?|tekst|texte|texto|testo|penulis|yazar|forfatter|skribent|posted|by|von|par|por|reporting|"
    r"(?:本文|原创|文章)?作者|撰文|撰稿|采写|采访|执笔人?|文字?|文|执笔|執筆|執筆者|筆者|取材・文|聞き手|글)"
    r"\s*(?:by\b|von\b)?\s*[:：/／●]\s*",
    re.IGNORECASE,
)
_HAN_REPORTER = re.compile(
    rf"^.{{0,24}}?(?:记者|記者|通讯员|通訊員|特派员|撰稿人|评论员|評論員)(?:[\s:：/]*)(?={_HAN_NAME}(?:$|[\s、,，/;；）)]))"
)
_HAN_LIST = rf"{_HAN_NAME}(?:[\s、，,/；;]{{1,3}}{_HAN_NAME}){{0,9}}"
_HAN_BYLINES = (
    re.compile(
        r"(?:^|(?<![\u3400-\u9fff])|(?<=本文)|(?<=文章)|(?<=原创))(?:作者|撰文|撰稿|采写|采访|执笔人?|執筆者?|文字)\s*[:：/／丨｜|]"
        r"\s*(?P<names>[^\n]{1,60})"
    ),
    re.compile(rf"(?:^|[\s|｜（(])作者\s{{0,2}}(?P<names>{_HAN_LIST})(?=$|[\s|｜，,）)])"),
    re.compile(
        rf"[（(【□■◎][^（(）)]{{0,14}}?(?:记者|記者|通讯员|通訊員)\s*[:：]?\s*(?P<names>{_HAN_LIST})(?=\s?(?:$|[）)】\s/／,，、]|摄|通讯员))"
    ),
    re.compile(
        rf"^[^。，！？]{{0,16}}?(?:记者|記者)\s*[:：]?\s*(?P<names>{_HAN_LIST})(?=\s?(?:[/／]\s?文|$|\s.{{0,12}}(?:报道|報道|摄)?$))"
    ),
    re.compile(r"^文\s?[/／:：|｜]\s*(?P<names>[^\n]{2,40})"),
    re.compile(rf"[（(](?P<names>{_HAN_NAME})\s[{_HAN}]{{2,8}}(?:报道|報道)[）)]\s*$"),
)
_HAN_WORD = re.compile("[的了是和与在报社网讯团训]|出自|出版|训练|整合|综合|声明|热线|电话|公司|证|协会|原创|作品")
_HAN_STOP = re.compile(
    r"\s*(?:编辑|編輯|责任|责编|来源|來源|时间|時間|发布|发表|阅读|閱讀|点击|摄影|攝影|日期|评论|图片|校对|审核|返回|字号|浏览|\d{4})"
    r"|\s\S{2,6}[:：]|[。！？]"
)
_SPLIT = re.compile(r"\s*(?:[,;|、，；&/／•\n\u3000\t]|\s[·–—-]\s|\s\+\s)\s*")
_AND = re.compile(r"\s+(?:and|und|et|with|mit|sowie|dan|ve|och|og|i|y|e|en|ja|и|та)\s+", re.IGNORECASE)
_LOUD_AND = re.compile(r"\s+(?:and|und|et)\s+", re.IGNORECASE)
_ADDRESS = re.compile(r"\S+(?:@|\[at\]|\(at\))\S+|https?://\S+|(?:^|(?<=\s))@\S+|\bwww\.\S+", re.IGNORECASE)
_BRACKET = re.compile(r"\s*[(（\[【][^()（）\[\]【】]{0,80}[)）\]】]")
_AFTER = re.compile(
    r"\s+(?:for|für|pour|para|per|from|aus|is a|is an|is the|ist|est|writes|reports|berichtet|schreibt|reporting|"
    r"at|bei|in|im|on|am|last updated|updated|posted|published|illustrations?|photos?|photography|fotos?|bilder)\b.*$"
    r"|\s*(?:기자|특파원|記者|记者|报道|報道|著|さん|氏|編集長|(?<=\s)文)$|\s[-–—|].*$",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"\d{1,4}[-./年]\d{1,2}|\d{1,2}[:h.]\d\d\b|\b(?:19|20)\d\d\b|\b\d{1,2}(?:st|nd|rd|th)?[. ]+[^\W\d]{3,}"
    r"|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.? \d{1,2}\b|\b\d+ (?:min|hour|day|week|month)",
    re.IGNORECASE,
)
_ROLE = re.compile(
    r"\b(?:(?:senior|staff|chief|associate|assistant|deputy|managing|executive|contributing|special|freelance|sports?|"
    r"news|political|business|foreign|national|science|health|tech\w*|culture|opinion)\s+)*"
    r"(?:reporters?|editors?|correspondents?|writers?|columnists?|contributors?|contributor|producers?|journalists?|"
    r"staff|analysts?|fellow|directors?|professor\w*|interns?|photographers?|bloggers?|ceo|cto|founder|"
    r"fotograf\w*|redakteur\w*|redaktor\w*|redaktör\w*|redactora?|rédact(?:eur|rice)\w*|korrespondent\w*|correspond\w+|auto(?:r|rin|ren)|volontär\w*|"
    r"leit(?:er|erin|ende\w*)|chefredakt\w*|chef\w*|ressort\w*|journalist\w*|reporter\w*|moderator\w*|"
    r"giornalista|periodista|jornalista|jurnalis\w*|muhabir\w*|dziennikarz\w*|toimittaja\w*|journaliste\w*|"
    r"profesorius|абозреватель|корреспондент\w*|обозреватель|журналист\w*)\b"
    r"|记者|記者|编辑|編輯|編集|特派|通讯员|기자|教授|译者|翻訳|監訳|訳$",
    re.IGNORECASE,
)
_NOBODY = re.compile(
    r"(?:the )?(?:web ?)?(?:staff|admin(?:istrator)?|editors?|editorial(?: (?:team|staff|board))?|redaktion|redaction|"
    r"redacción|redação|redazione|redaktor|redakcja|toimitus|newsroom|news ?desk|desk|team|webmaster|root|user|guest|"
    r"gast|gastautor(?:in)?|gastbeitrag|anonymous|anonym|unknown|none|null|undefined|n/?a|no author|various|web|online|"
    r"press release|pressemitteilung|author|autor(?:in)?|contributor|news|agencies|agenturen|reporter|writer|by|von|me|"
    r"name|twitter|facebook|instagram|linkedin|youtube|whatsapp|follow|folgen|uncategorized|allgemein|publiziert|"
    r"veröffentlicht|published|beitrag|artikel|text|kommentar|interview|(?:mon|tues|wednes|thurs|fri|satur|sun)day|"
    r"(?:mon|diens|donners|frei|sams|sonn)tag|mittwoch|heute|today|yesterday|gestern|gründerin?|default|publisher|"
    r"anónimo|anonimo|drupal|wordpress|theme|zur person|letzte aktualisierung|datum|date|quelle|source|zvg|test|"
    r"super ?user|content|red|online ?redaktion|onlineredaktion|news ?team|presse|sponsored|"
    r"网络整理|版权声明|版权|佚名|匿名|未知|不详|本站|本站原创|原创|网络|转载|编辑|小编|管理员|本报|本报讯|综合|责任编辑|編集部|整理)\.?",
    re.IGNORECASE,
)
_PROSE = re.compile(
    r"(?:more|all|view|see|read|follow|about|über|alle|mehr|click|share|subscribe|contact|email|e-mail|send|sign|log|"
    r"meet|get|show|zeige|voir|ver|leggi|suivre|seguir|published|updated|posted|last|comments?|kommentare?|"
    r"foto|fotos|photo|photos|photograph|bild|bilder|image|images|quelle|source|credit|illustration|video|getty|"
    r"picture|写真|撮影|摄影|图|图片|责任|责编|來源|来源|編輯|编辑|校对|审核|advertisement|anzeige|sendung|stand|"
    r"join|love|this|these|what|why|how|when|who|where|translation|translated|übersetz\w*|copyright|©)\b",
    re.IGNORECASE,
)
_PARTICLE = (
    "von|van|de|der|den|del|della|di|da|dos|das|do|du|la|le|les|el|al|bin|ibn|ben|y|e|zu|zur|zum|af|av|ter|ten|"
    "vom|und|st|dr|jr|sr|mc|mac|d|o|l"
)
_WORD = rf"(?:[^\W\d_a-zß-öø-ÿ][\w'’.‑·-]*|(?:{_PARTICLE})\.?|[dlo]['’][^\W\d_][\w'’-]*|\"[^\"]+\"|['’“„][^\s]+['’”“])"
_NAME = re.compile(rf"{_WORD}(?:\s+{_WORD}){{0,5}}")
_TITLE_SUFFIX = re.compile(r"(?:jr|sr|phd|ph\.d|md|m\.d|m\.a|b\.a|esq|cfa|cpa|mba|ll\.m|ii|iii|iv)\.?", re.IGNORECASE)


def names_in(text: str, *, printed: bool = False) -> list[str]:
    """The names in a signature; empty where it names nobody.

    ``printed``: it stands in the page's text, where whatever is not written as a name is none; in a field that is
    meant for names a nickname is one as well.
    """
    line = _bare(text)
    names: list[str] = []
    for piece in _pieces(line):
        name = _name(piece)
        if not name or (printed and not looks_like_a_name(name)) or (names and _is_a_place(names[-1], name)):
            if printed and not names and not _ADDRESS.search(piece):
                break
            continue
        names.append(name)
    return unique(names)[:_MOST_NAMES]


def labelled(text: str) -> bool:
    """Whether the text begins as a byline does: "By …", "Autor: …", "记者 …"."""
    line = squeeze(text)[:_LONGEST_LINE]
    return bool(_PREFIX.match(line) or _LABEL.match(line) or _HAN_REPORTER.match(line))


def is_label(text: str) -> bool:
    """Whether the text is nothing but the beginning of a byline ("By", "Von:", "Text") or a sign between names."""
    line = squeeze(text)[:_LONGEST_LINE].strip(" :：|·•,-–—/~&;")
    return not line or bool(_LABEL.fullmatch(f"{line}:")) or bool(_ONLY_BY.fullmatch(line))


def looks_like_a_name(text: str) -> bool:
    """Whether a text is written as a person's name is: capitals and particles, or a name of Han, kana, hangul …"""
    if any(char.isdigit() for char in text) or _PROSE.match(text) or _ROLE.search(text):
        return False
    if text.isascii() or any("a" <= char.lower() <= "z" for char in text):
        return bool(_NAME.fullmatch(text)) and any(map(str.isupper, text))
    return len(text) <= 24 and len(text.split()) <= 4


def han_names_in(line: str) -> list[str]:
    """The names behind 作者, 记者, 撰文 … in a line of Chinese or Japanese; none where it only speaks of such people.

    In prose 记者 counts in brackets, or where it opens or ends a short line.
    """
    for pattern in _HAN_BYLINES:
        for found in islice(pattern.finditer(line[:_LONGEST_LINE]), 8):
            if names := _han_list(found["names"], nicknames=pattern is _HAN_BYLINES[0]):
                return names
    return []


def _han_list(text: str, *, nicknames: bool) -> list[str]:
    text = _HAN_STOP.split(text.strip(" :：/|丨｜"), maxsplit=1)[0]
    names: list[str] = []
    for token in re.split(r"[\s、，,;；&/|\ufdd0\ufdd1]+", text.strip(" （()）[]【】□■。.")):
        token = re.sub(r"^.{2,8}(?:记者|記者|通讯员)$|^(?:记者|記者|通讯员|通訊員)", "", token)
        if not token and not names:
            continue
        if (
            not re.fullmatch(_HAN_NAME, token)
            or _ROLE.search(token)
            or _NOBODY.fullmatch(token)
            or _HAN_WORD.search(token)
        ):
            break
        names.append(token)
    if names or not nicknames:
        return unique(names)
    first = re.split(r"[\s，,;；]", text.strip())[0].strip("（()）[]【】")
    return names_in(first) if 1 < len(first) <= 16 else []


def unique(names: list[str]) -> list[str]:
    """Names without those that came before, in whatever case."""
    return list({name.casefold(): name for name in reversed(names)}.values())[::-1]


def _bare(text: str) -> str:
    """The signature without addresses and without what stands before the names."""
    line = " ".join(_ADDRESS.sub(" ", text[:_LONGEST_LINE]).split(" ")).strip()
    for pattern in (_LABEL, _PREFIX, _LABEL, _HAN_REPORTER):
        if found := pattern.match(line):
            line = line[found.end() :]
    return line


def _pieces(line: str) -> list[str]:
    pieces = [piece for piece in _SPLIT.split(_BRACKET.sub(" ", line)) if piece.strip()]
    return [part for piece in pieces for part in _parted(piece)]


def _parted(piece: str) -> list[str]:
    """A piece at its "and": small conjunctions part full names only (Ortega y Gasset is one)."""
    piece = squeeze(re.sub(r"^(?:and|und|et|with|mit|y|e|og|och|en|by|von)\s+", "", piece.strip(), flags=re.IGNORECASE))
    han = piece.split()
    if len(han) > 1 and all(re.fullmatch(rf"[{_HAN}]{{2,4}}", token) for token in han):
        return han
    if not _AND.search(piece):
        return [piece]
    parts = _AND.split(piece)
    whole = all(len(part.split()) > 1 for part in parts)
    return parts if whole else _LOUD_AND.split(piece)


def _name(piece: str) -> str:
    """The piece as a name; empty if it is a date, a role, an address or nobody."""
    name = _AFTER.sub("", _AFTER.sub("", piece)).strip(' .,:;*|~•·●-–—"“”„[]()（）【】□■')
    if _TITLE_SUFFIX.fullmatch(name) or not 1 < len(name) <= _LONGEST_NAME or len(name.split()) > 7:
        return ""
    letters = sum(map(str.isalpha, name))
    if letters * 2 < len(name.replace(" ", "")) or _DATE.search(name) or re.search(r"[?!=<>{}@:：]|//|_\d", name):
        return ""
    role = _ROLE.search(name)
    if role and (role.start() < 3 or len(name.split()) > 3):
        return ""
    return "" if _NOBODY.fullmatch(name) or _PROSE.match(name) else name


def _is_a_place(before: str, name: str) -> bool:
    """A single word in capitals and small letters behind a full name: where it was written (", Berlin")."""
    return len(before.split()) > 1 and name.isalpha() and name.istitle() and before[:1].isupper()
