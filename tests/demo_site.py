"""Builds the sample news site of ``presskeep demo``: ``python -m tests.demo_site`` writes spiders/demo/site.warc.gz.

The texts lie in tests/demo_texts. ``ARTICLES`` says what an archive of the site must hold, for other tests to compare.
"""

from __future__ import annotations

import hashlib
import html
import io
import json
import uuid
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from string import Template
from typing import Any, Literal
from zoneinfo import ZoneInfo

import yaml
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from crawler.extract.text import plain

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "spiders" / "demo" / "site.warc.gz"
SOURCES = ROOT / "spiders" / "demo" / "sources"
_TEXTS = Path(__file__).parent / "demo_texts"

CAPTURED = datetime(2026, 3, 16, 8, tzinfo=UTC)
"""When all captures were made, as they say."""
JIANGCHENG = "https://www.jiangcheng.example"
HARBOUR = "https://www.harbour.example"
HARBOUR_MOBILE = "https://m.harbour.example"
WIRE = "https://api.wire.example"

NOISE = (
    "广告｜", "责任编辑", "相关阅读", "扫码下载", "网友评论", "热点排行", "【打印】", "版权所有", "trackRead",
    "Accept cookies", "Sign up to our", "Share by mail", "Most read", "Registered in",
)  # fmt: skip
"""What stands on the pages around the articles and must stand in no post."""

_CHINA = ZoneInfo("Asia/Shanghai")
_REDESIGN = datetime(2026, 3, 9, tzinfo=_CHINA)
_GB18030 = "gb18030"

Entry = Mapping[str, Any]
"""An article as it stands in tests/demo_texts."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What must come out of one article."""

    key: str
    source: str
    title: str
    paragraphs: tuple[str, ...]
    """Lines of the body's plain text, in reading order: a paragraph, caption, list item or table row each."""
    published: str
    """ISO 8601 with offset; empty where upstream gives none."""
    outlet: str
    """Credited outlet as printed; empty for none."""
    link: str
    """Public address of the original."""
    expected: Literal["kept", "refused"]
    why: str = ""
    """Why it is refused: ``no title``, ``no key`` or ``empty text``."""
    digest: str = ""
    byline: tuple[str, ...] = ()
    editor: str = ""
    listed_outlet: str = ""
    """What the list calls the outlet, where it disagrees."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One response of the site."""

    url: str
    body: bytes
    kind: str
    """Content-Type."""
    modified: datetime
    squeezed: bool = False
    """Sent with gzip."""


@cache
def _texts(name: str) -> Any:
    return yaml.safe_load((_TEXTS / f"{name}.yml").read_text(encoding="utf-8"))


@cache
def _template(name: str) -> Template:
    return Template((_TEXTS / f"{name}.html").read_text(encoding="utf-8"))


def _articles(name: str) -> dict[str, Entry]:
    return {entry["key"]: entry for entry in _texts(name)["articles"]}


# bodies


def _table(rows: Sequence[Sequence[str]]) -> str:
    lines = ["<tr>" + "".join(f"<td>{html.escape(cell, quote=False)}</td>" for cell in row) + "</tr>" for row in rows]
    return '<table border="1">\n' + "\n".join(lines) + "\n</table>"


def _is(block: Any, kind: str) -> bool:
    return isinstance(block, dict) and kind in block


def _block(block: Any, indent: str = "") -> str:
    """One block of a body as HTML; a plain text is a paragraph."""
    if isinstance(block, str):
        return f"<p>{indent}{html.escape(block, quote=False)}</p>"
    if "html" in block:
        return f"<p>{indent}{block['html']}</p>"
    if "h" in block:
        return f"<h3>{block['h']}</h3>"
    if "quote" in block:
        return f"<blockquote><p>{html.escape(block['quote'], quote=False)}</p></blockquote>"
    if "list" in block:
        return "<ul>\n" + "\n".join(f"<li>{item}</li>" for item in block["list"]) + "\n</ul>"
    if "table" in block:
        return _table(block["table"])
    raise ValueError(f"no such block: {block!r}")


def _lines(bodies: Iterable[str]) -> tuple[str, ...]:
    return tuple(line for body in bodies for line in plain(f"<div>{body}</div>").split("\n") if line)


# demo-jiangcheng


def _china(entry: Entry) -> datetime:
    return datetime.fromisoformat(entry["published"]).replace(tzinfo=_CHINA)


def _jiangcheng_url(entry: Entry) -> str:
    return f"{JIANGCHENG}/a/{_china(entry):%Y%m%d}/{entry['key']}.html"


def _jiangcheng_blocks(entry: Entry) -> list[str]:
    indent = "&nbsp;" * 4 if entry.get("indent") == "nbsp" else "　　"
    blocks = [_jiangcheng_picture(one) if _is(one, "img") else _block(one, indent) for one in entry["body"]]
    return [*blocks, *_jiangcheng_credit(entry)]


def _jiangcheng_picture(one: Mapping[str, str]) -> str:
    image = f'<img src="https://img.jiangcheng.example/{one["img"]}" alt="{one["alt"]}" width="600">'
    return f'<p style="text-align:center">{image}</p>\n<p class="caption">{one["caption"]}</p>'


def _jiangcheng_credit(entry: Entry) -> Iterator[str]:
    """The credit below the text: plain, or with markup inside the name, as annotating machines leave it."""
    name: str = entry["outlet"]
    if entry.get("credit") == "cut":
        half = f'<span id="bk_31"><a href="/topic/31" class="keytip">{name[2:]}</a></span><span id="bkquote_31"></span>'
        name = name[:2] + half
    if "credit" in entry:
        yield f"<p>（文章来源：{name}）</p>"


def _jiangcheng_page(entry: Entry) -> str:
    published, old = _china(entry), _china(entry) < _REDESIGN
    return _template("jiangcheng-old" if old else "jiangcheng-article").substitute(
        title=html.escape(entry["title"], quote=False),
        digest=entry["digest"],
        key=entry["key"],
        printed=f"{published:%Y-%m-%d %H:%M}" if old else f"{published:%Y年%m月%d日 %H:%M}",
        source=entry.get("placeholder", entry["outlet"]),
        editor=entry["editor"],
        charset="gb2312" if "encoding" in entry else "utf-8",
        body="\n".join(_jiangcheng_blocks(entry)),
    )


def _jiangcheng_article(entry: Entry) -> Answer:
    """Pages in GB18030 say that they are gb2312, as they do."""
    encoding = entry.get("encoding", "utf-8")
    kind = f"text/html; charset={'gb2312' if encoding == _GB18030 else 'utf-8'}"
    return Answer(_jiangcheng_url(entry), _jiangcheng_page(entry).encode(encoding), kind, _china(entry))


def _jiangcheng_item(entry: Entry, column: str) -> str:
    title = html.escape(entry["title"])
    shown = html.escape(entry["title"][:14], quote=False)
    address = _jiangcheng_url(entry).removeprefix(JIANGCHENG)
    digest = f'<p class="digest">{entry["digest"]}</p>' if column == "finance" else ""
    when = f"{_china(entry):%m-%d %H:%M}"
    return f'<li><h3><a href="{address}" title="{title}">{shown}…</a></h3>{digest}<span class="time">{when}</span></li>'


def _jiangcheng_lists() -> Iterator[Answer]:
    names = {"local": ("本地", "index_{}.html"), "finance": ("财经", "list-{}.html")}
    known = _articles("jiangcheng")
    for column, pages in _texts("jiangcheng")["columns"].items():
        title, form = names[column]
        for number, keys in enumerate(pages, 1):
            last = column == "local" and number == len(pages)
            following = "下一页" if last else f'<a href="/{column}/{form.format(number + 1)}"> 下一页 </a>'
            page = _template("jiangcheng-list").substitute(
                column=title,
                items="\n".join(_jiangcheng_item(known[key], column) for key in keys),
                pager=f'<a href="/{column}/">首页</a> <b>{number}</b> {following}',
            )
            url = f"{JIANGCHENG}/{column}/{form.format(number) if number > 1 else ''}"
            newest = max(_china(known[key]) for key in keys)
            yield Answer(url, page.encode(), "text/html; charset=utf-8", newest, squeezed=True)


def _jiangcheng_truth() -> Iterator[Truth]:
    for entry in _articles("jiangcheng").values():
        yield Truth(
            key=entry["key"],
            source="demo-jiangcheng",
            title=entry["title"],
            paragraphs=_lines(_jiangcheng_blocks(entry)),
            published=_china(entry).isoformat(),
            outlet=entry["outlet"],
            link=_jiangcheng_url(entry),
            expected="kept",
            digest=entry["digest"] if _china(entry) >= _REDESIGN else "",
            editor=entry["editor"],
        )


# demo-harbour


def _harbour_time(entry: Entry) -> datetime:
    return datetime.fromisoformat(entry["published"])


def _harbour_url(entry: Entry, form: str = "") -> str:
    """Address of an article, or of its ``amp``, ``mobile`` or ``print`` form."""
    tail = f"/{_harbour_time(entry):%Y/%m/%d}/{entry['slug']}-{entry['key']}"
    if form == "mobile":
        return HARBOUR_MOBILE + tail
    return f"{HARBOUR}/{'amp' if form == 'amp' else 'news'}{tail}{'?print=1' if form == 'print' else ''}"


def _harbour_blocks(entry: Entry) -> list[str]:
    return [_harbour_picture(one) if _is(one, "img") else _block(one) for one in entry["body"]]


def _harbour_picture(one: Mapping[str, str]) -> str:
    image = f'<img src="https://img.harbour.example/{one["img"]}" alt="{one["alt"]}">'
    return f"<figure>{image}<figcaption>{one['caption']}</figcaption></figure>"


def _harbour_printed(entry: Entry) -> str:
    moment = _harbour_time(entry)
    printed = f"{moment.day} {moment:%B %Y, %H:%M}"
    if entry.get("printed"):
        return f'<span class="printed">{printed}</span>'
    return f'<time datetime="{entry["published"]}">{printed}</time>'


def _harbour_page(entry: Entry) -> str:
    authors = " and ".join(
        f'<a rel="author" href="/by/{name.split()[-1].lower()}">{name}</a>' for name in entry["byline"]
    )
    source = f'<span class="source">Source: {entry["outlet"]}</span>' if entry["credit"] == "source" else ""
    return _template("harbour-article").substitute(
        title=html.escape(entry["title"], quote=False),
        summary=entry["summary"],
        canonical=_harbour_url(entry),
        key=entry["key"],
        byline=f'<p class="byline">By {authors}</p>\n',
        when=_harbour_printed(entry),
        source=source,
        body="\n".join(_harbour_blocks(entry)),
    )


def _harbour_articles() -> Iterator[Answer]:
    known = _articles("harbour")
    for page in _texts("harbour")["pages"]:
        for named in page:
            form, _, key = named.rpartition(":")
            url = _harbour_url(known[key], form)
            body = _harbour_page(known[key]).encode()
            yield Answer(url, body, "text/html; charset=UTF-8", _harbour_time(known[key]), squeezed=not form)


def _harbour_teaser(entry: Entry, form: str) -> str:
    url = _harbour_url(entry, form) + (f"?{entry['tracking']}" if "tracking" in entry else "")
    moment = _harbour_time(entry)
    return (
        f'<article class="teaser"><h2><a href="{html.escape(url.removeprefix(HARBOUR))}">'
        f"{html.escape(entry['title'], quote=False)}</a></h2>"
        f'<time datetime="{moment.isoformat()}">{moment.day} {moment:%B}</time>'
        f'<p class="summary">{entry["summary"]}</p></article>'
    )


def _harbour_lists() -> Iterator[Answer]:
    known, pages = _articles("harbour"), _texts("harbour")["pages"]
    for number, page in enumerate(pages, 1):
        named = [one.rpartition(":") for one in page]
        more = f'<a rel="next" href="/news?page={number + 1}">Older news</a>' if number < len(pages) else "The end"
        items = "\n".join(_harbour_teaser(known[key], form) for form, _, key in named)
        body = _template("harbour-list").substitute(pager=more, items=items).encode()
        url = f"{HARBOUR}/news" + (f"?page={number}" if number > 1 else "")
        newest = max(_harbour_time(known[key]) for _, _, key in named)
        yield Answer(url, body, "text/html; charset=UTF-8", newest, squeezed=True)


def _harbour_truth() -> Iterator[Truth]:
    for entry in _articles("harbour").values():
        yield Truth(
            key=entry["key"],
            source="demo-harbour",
            title=entry["title"],
            paragraphs=_lines(_harbour_blocks(entry)),
            published=_harbour_time(entry).isoformat(),
            outlet=entry["outlet"],
            link=_harbour_url(entry),
            expected="kept",
            digest=entry["summary"],
            byline=tuple(entry["byline"]),
        )


# demo-wire


def _wire_blocks(entry: Entry) -> list[str]:
    if not entry["body"]:
        return []
    blocks = [_wire_block(one) for one in entry["body"]]
    if entry.get("broken_line"):
        blocks[0] = blocks[0].replace("</p>", "<br /></p>")
    return [*_wire_chart(entry), *blocks, f'<p class="em_media">（文章来源：{entry["outlet"]}）</p>']


def _wire_block(one: Any) -> str:
    if _is(one, "h"):
        return f"<p><strong>　　{one['h']} </strong></p>"
    if _is(one, "img"):
        return f'<center><img src="https://img.wire.example/{one["img"]}" alt="image" width="580" /></center>'
    return _block(one, "　　")


def _wire_chart(entry: Entry) -> Iterator[str]:
    """A price chart ahead of the text, with its hidden paragraph and its marks."""
    if code := entry.get("chart"):
        yield '<p style="display:none;height:1px;overflow:hidden;"><br /></p><!-- WireChart_Start -->'
        image = (
            f'<img src="https://img.wire.example/chart?code={code}&amp;type=k" border="0" width="578" height="276" />'
        )
        link = f'<a href="https://www.wire.example/quote/{code}" class="WireChart" target="_blank">{image}</a>'
        yield f'<p style="text-align:center;">{link}</p><!-- WireChart_End -->'


def _wire_digest(entry: Entry) -> str:
    return f"【{entry['title']}】{entry['summary']}（{entry['outlet']}）" if entry["title"] else ""


def _wire_record(entry: Entry) -> dict[str, str]:
    return {
        "id": entry["key"].removeprefix("WR"),
        "infoCode": entry["key"],
        "title": entry["title"],
        "showtime": entry["published"],
        "medianame": entry.get("listed", entry["outlet"]),
        "digest": _wire_digest(entry),
    }


def _wire_lists() -> Iterator[Answer]:
    """Pages of five; the second comes as JSONP."""
    records = [_wire_record(entry) for entry in _articles("wire").values()]
    pages = [records[start : start + 5] for start in range(0, len(records), 5)]
    cursor = None
    for number, page in enumerate(pages, 1):
        url = f"{WIRE}/v1/news?size=5" + (f"&cursor={cursor}" if cursor else "")
        cursor = page[-1]["id"] if number < len(pages) else None
        text = json.dumps({"code": 0, "data": {"list": page, "next": cursor}}, ensure_ascii=False)
        kind = "application/json;charset=UTF-8"
        if number == 2:
            text, kind = f"onNews({text});", "application/javascript;charset=UTF-8"
        yield Answer(url, text.encode(), kind, CAPTURED, squeezed=number == 3)


def _wire_refusal(entry: Entry) -> str:
    faults = {"no_title": "no title", "not_a_key": "no key", "empty_text": "empty text"}
    return next((why for name, why in faults.items() if entry.get(name)), "")


def _wire_texts() -> Iterator[Answer]:
    """Texts of the records that the list does not rule out already."""
    for entry in _articles("wire").values():
        if _wire_refusal(entry) in ("", "empty text"):
            text = entry.get("joiner", "\r\n ").join(_wire_blocks(entry))
            body = json.dumps({"text": text}, ensure_ascii=False).encode()
            yield Answer(f"{WIRE}/v1/text?id={entry['key']}", body, "application/json;charset=UTF-8", _china(entry))


def _wire_truth() -> Iterator[Truth]:
    for entry in _articles("wire").values():
        why = _wire_refusal(entry)
        yield Truth(
            key=entry["key"],
            source="demo-wire",
            title=entry["title"],
            paragraphs=_lines(_wire_blocks(entry)),
            published=_china(entry).isoformat() if entry["published"] else "",
            outlet=entry["outlet"],
            link=f"https://www.wire.example/share.html?infoCode={entry['key']}",
            expected="refused" if why else "kept",
            why=why,
            digest=_wire_digest(entry),
            listed_outlet=entry.get("listed", ""),
        )


ARTICLES: tuple[Truth, ...] = (*_jiangcheng_truth(), *_harbour_truth(), *_wire_truth())
"""Every article that a list of the site names, in the order of the texts."""


# the package


def _robots() -> Iterator[Answer]:
    for host in (JIANGCHENG, HARBOUR, HARBOUR_MOBILE, WIRE):
        body = b"User-agent: *\nDisallow: /admin/\n"
        yield Answer(f"{host}/robots.txt", body, "text/plain; charset=utf-8", datetime(2026, 1, 5, 8, tzinfo=UTC))


def answers() -> list[Answer]:
    """Everything that the site answers, in the order of the package."""
    lists = [*_jiangcheng_lists(), *_harbour_lists(), *_wire_lists()]
    jiangcheng = [_jiangcheng_article(entry) for entry in _articles("jiangcheng").values()]
    return [*_robots(), *lists, *jiangcheng, *_harbour_articles(), *_wire_texts()]


def _squeeze(body: bytes) -> bytes:
    """Gzip without a clock."""
    squeezer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return squeezer.compress(body) + squeezer.flush()


def _http_headers(answer: Answer, body: bytes) -> StatusAndHeaders:
    headers = [
        ("Server", "nginx"),
        ("Date", format_datetime(CAPTURED, usegmt=True)),
        ("Content-Type", answer.kind),
        ("Content-Length", str(len(body))),
        ("Last-Modified", format_datetime(answer.modified.astimezone(UTC), usegmt=True)),
        ("ETag", f'"{hashlib.sha256(answer.body).hexdigest()[:16]}"'),
    ]
    if answer.squeezed:
        headers += [("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")]
    return StatusAndHeaders("200 OK", headers, protocol="HTTP/1.1")


def build() -> bytes:
    """The package: WARC 1.1, one gzip member per record, no clock and no chance in it."""
    out = io.BytesIO()
    writer = WARCWriter(out, gzip=True, warc_version="1.1")
    for answer in answers():
        body = _squeeze(answer.body) if answer.squeezed else answer.body
        fixed = {
            "WARC-Date": f"{CAPTURED:%Y-%m-%dT%H:%M:%SZ}",
            "WARC-Record-ID": f"<urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, answer.url)}>",
        }
        record = writer.create_warc_record(
            answer.url,
            "response",
            payload=io.BytesIO(body),
            length=len(body),
            http_headers=_http_headers(answer, body),
            warc_headers_dict=fixed,
        )
        writer.write_record(record)
    return out.getvalue()


def main() -> None:
    """Write the package."""
    data = build()
    PACKAGE.write_bytes(data)
    print(f"{PACKAGE}: {len(answers())} responses, {len(data):,} bytes")


if __name__ == "__main__":
    main()
