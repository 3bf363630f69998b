"""What speaks for a block being the article's: its own shape, its words, its place, its neighbours; as small numbers.

Each feature is a bucket; the weights of the buckets (``weights.py``) were learnt from pages with truth.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence

from crawler.extract.blocks import Block, Box, Segments
from crawler.extract.words import BITS, GROUPS

_SIZES = (8, 16, 30, 50, 80, 120, 180, 260, 400, 700)
_LINKED = (0.001, 0.1, 0.2, 0.35, 0.5, 0.8, 0.99)
_SHARES = (0.003, 0.01, 0.03, 0.08, 0.15, 0.3, 0.5, 0.7, 0.85, 0.95)
_COUNTS = (1, 2, 3, 5, 8, 13, 25)
_PLACES = (-40, -15, -6, -2, 0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 90, 150, 300)
_PARTS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)
_TAGS = {tag: number for number, tag in enumerate(
    ("p", "li", "h1", "h2", "h3", "h4", "h5", "h6", "td", "th", "div", "section", "article", "blockquote", "pre",
     "figcaption", "dt", "dd", "figure", "center", "address", "caption", "body", "aside", "header", "footer"), 1)}  # fmt: skip
_ENDS = {
    sign: kind
    for kind, signs in enumerate((".!?。！？…", "\"”’'」』»)）]】", ":：", ",，;；、", "|-–—>»›"), 1)
    for sign in signs
}
_COMMAS = re.compile("[,，、。;；]|[.!?] |[！？]")
_LONG = 300
"""Bytes; longer blocks are searched for no stock phrases."""
_DIGITS = re.compile(r"\d")

PHRASES = (
    ("rights", r"©|\(c\) ?\d{4}|copyright|all rights reserved|alle rechte|tous droits|derechos reservados|diritti riservati"
     r"|版权|版權|著作権|无断|無断|не допускается|все права|wszelkie prawa|may not be (?:published|reproduced)|ICP备|京ICP|许可证"),
    ("more", r"read (?:more|also|next|full)|see also|also read|more (?:on|from|about|stories|news)|related|recommended|mehr (?:zum|zu|lesen)"
     r"|lesen sie|lesetipp|auch interessant|weiterlesen|siehe auch|lire (?:aussi|la suite|plus)|à lire|voir aussi|leer (?:más|también)|lea (?:también|además)"
     r"|leggi (?:anche|tutto)|leia (?:também|mais)|veja (?:também|mais)|lees (?:ook|meer)|læs også|les også|läs (?:också|mer)|czytaj|zobacz"
     r"|читайте|смотрите также|延伸阅读|相关|推荐|更多|阅读全文|点击|查看|关连|関連|あわせて|続きを読む|don't miss|you may|you might|up next|trending|most (?:read|popular)"),
    ("share", r"share|tweet|facebook|twitter|whatsapp|instagram|linkedin|pinterest|telegram|e-?mail|print|teilen|drucken|merken|partager|imprimer|compartir|imprimir"
     r"|condividi|stampa|分享|打印|收藏|扫一扫|扫描|二维码|微信|微博|字号|字体|大 ?中 ?小|关闭|copy link|bookmark|follow us|like us|save"),
    ("comment", r"comments?\b|kommentare?|comentarios?|commentaires?|commenti|reply|replies|log ?in|sign ?(?:in|up)|anmelden|einloggen|register|评论|评论|跟帖|留言|回复|网友|登录|注册|コメント|ログイン"),
    ("subscribe", r"subscri|newsletter|abonn|sign up|suscr[ií]|iscriviti|订阅|关注我们|公众号|premium|paywall|donat|support (?:us|our)|unterstütz|free trial|app store|google play|download|下载|客户端|cookies?\b|consent|javascript|browser|werbung|advertisement|anzeige|publicidad|sponsored|广告"),
    ("byline", r"^(?:by|von|par|por|di|door|af|av|od|text|words|story|author|written by|autor[ea]?)\b[: ]|^(?:文|作者|记者|编辑|責任編輯|责任编辑|责编|来源|來源|稿源|编辑|原标题|校对|审核|本文|声明|免责|摄影|通讯员)|"
     r"(?:责任)?编辑[:：]|责编[:：]|作者[:：]|来源[:：]|記者|\beditor\b|reporting by|editing by|contributed to this"),
    ("date", r"\b(?:19|20)\d\d[-/.年]\d{1,2}[-/.月]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:19|20)\d\d|\d{1,2}:\d\d|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? \d{1,2},? \d{4}"
     r"|\d{1,2}\.? [a-zéûäñç]{3,10}\.? (?:de )?(?:19|20)\d\d|updated|aktualisiert|veröffentlicht|published|posted|publié|publicado|pubblicato|ago\b|min(?:ute)?s? read|lesezeit|前$"),
    ("credit", r"getty|reuters|\bap\b|\bafp\b|shutterstock|alamy|istock|\bepa\b|\bdpa\b|imago|unsplash|photos?\b|foto|bild:|image|credit|courtesy|screenshot|图片|摄影|摄\b|资料图|图为|图源|photograph|picture|file photo|video|watch|gallery|视频|组图"),
    ("crumb", r"[>›»/|] ?\w+ ?[>›»/|]|^(?:home|start|startseite|首页|当前位置|您的位置|您现在|位置|tags?|themen|topics?|filed under|categories|标签|关键词|关键字|schlagw)|上一[篇页]|下一[篇页]|previous|next\b|尾页|首页"),
)  # fmt: skip
_PHRASE = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in PHRASES), re.IGNORECASE)
_KINDS = {name: number for number, (name, _) in enumerate(PHRASES, 1)}


Row = tuple[int, ...]
"""Buckets of one block, in the order of ``LOCAL``."""
DATE_OR_BYLINE = (5, frozenset(_KINDS[name] for name in ("date", "byline")))
"""Which number of a row tells stock phrases, and its values for a date and a byline in a short block."""


def local_features(page: Segments, title: str, description: str, told: str) -> list[Row]:
    """For each block the buckets of what can be seen of it and right around it.

    ``title`` and ``description`` are the page's own words for itself, ``told`` the text of the article in its
    structured data; empty where there are none."""
    blocks = page.blocks
    _sum_up(blocks)
    total = max(1, page.top.bytes)
    same = Counter(block.text for block in blocks)
    siblings = Counter((id(block.box.parent), block.box.tag) for block in blocks)
    title, description, told = title.casefold(), description.casefold(), told.casefold()
    before = 0
    rows = []
    for number, block in enumerate(blocks):
        box, size, text = block.box, block.size, block.text
        holder = box.parent or box
        above = holder.parent or holder
        row = (
            bisect_right(_SIZES, size),
            bisect_right(_LINKED, block.linked),
            _TAGS.get(box.tag, 0),
            _ENDS.get(text[-1], 0) + 6 * (size > 60),
            bisect_right((1, 2, 3, 5, 8, 13), len(_COMMAS.findall(text))),
            _phrase(text) if size <= _LONG else 0,
            (1 + bisect_right(_PLACES, number - page.headline_at)) if page.headline_at >= 0 else 0,
            bisect_right(_SHARES, holder.bytes / total),
            bisect_right(_SHARES, above.bytes / total),
            bisect_right(_SHARES, (above.parent or above).bytes / total),
            bisect_right(_COUNTS, siblings[id(box.parent), box.tag]),
            bisect_right((0.1, 0.25, 0.5, 0.75), holder.links / max(1, holder.bytes + holder.links)),
            bisect_right((0.1, 0.25, 0.5, 0.75), above.links / max(1, above.bytes + above.links)),
            _known(text.casefold(), same[text], title, description, told),
            min(4, len(_DIGITS.findall(text)) * 10 // block.length) if size < 200 else 5,
            block.strong + 2 * bool(block.split) + 4 * (box.blocks > 1),
            bisect_right(_PARTS, before / total),
            bisect_right(_SHARES, box.bytes / total),
        )
        before += int(size * (1 - block.linked))
        rows.append(row)
    return rows


LOCAL = ("size", "linked", "tag", "end", "commas", "phrase", "place", "share", "share2", "share3", "siblings", "links",
         "links2", "known", "digits", "form", "part", "share0")  # fmt: skip


def _sum_up(blocks: Sequence[Block]) -> None:
    """Bytes of plain and of linked text of every box, all below it included."""
    for block in blocks:
        linked = int(block.size * block.linked)
        plain = block.size - linked
        box: Box | None = block.box
        block.box.blocks += 1
        while box is not None:
            box.bytes += plain
            box.links += linked
            box = box.parent


def _phrase(text: str) -> int:
    found = _PHRASE.search(text)
    return 0 if found is None else _KINDS[found.lastgroup or ""] + len(PHRASES) * (len(text) > 90)


def _known(text: str, times: int, title: str, description: str, told: str) -> int:
    """Whether the page says elsewhere what the block is: its title, its description, a text of the article."""
    if len(text) > 12:
        if title and (text in title or title in text) and len(text) < 2 * len(title) + 20:
            return 1
        if told and text[:80] in told:
            return 2
        if description and (text[:60] in description or description[:60] in text[:120]):
            return 3
        if told:
            return 4 if times == 1 else 5
    return 0 if times == 1 else 6


def bits_of(block: Block) -> list[int]:
    """Numbers of the words around a block: those near by, those farther up, those at the top; each once."""
    near, middle = block.box.near | block.inline, block.box.middle
    farther = middle & ~near
    top = block.box.all & ~middle & ~near
    count = len(GROUPS)
    return [*_numbers(near), *(count + n for n in _numbers(farther)), *(2 * count + n for n in _numbers(top))]


def flags_of(block: Block) -> list[int]:
    """The same for trees: for each group of words 3 where one is near by, 2 and 1 farther up, 0 for none."""
    near, middle, above = block.box.near | block.inline, block.box.middle, block.box.all
    return [3 if near & bit else 2 if middle & bit else 1 if above & bit else 0 for bit in BITS.values()]


def _numbers(bits: int) -> list[int]:
    found = []
    while bits:
        low = bits & -bits
        found.append(low.bit_length() - 1)
        bits ^= low
    return found
