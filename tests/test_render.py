"""Layouts rendered without Ruby: what is there without a Jekyll to compare with, and what the layouts are given."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import date, datetime, timedelta
from datetime import timezone as fixed
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from liquid.exceptions import LiquidError
from lxml import html

from crawler.archive.address import post_url
from crawler.archive.names import safe_key
from crawler.archive.post import read_post, write_post
from crawler.archive.site import new_site
from crawler.render.markdown import html_of, plain
from crawler.render.posts import content_of, page_of, url_of
from crawler.render.theme import Theme, below
from crawler.render.times import moment_of, strftime
from tests.test_render_jekyll import STYLE, dom, nasty

ZONE = ZoneInfo("Asia/Shanghai")
KRAMDOWN = """
require 'json'
require 'kramdown'
require 'kramdown-parser-gfm'
options = {input: 'GFM', hard_wrap: false, parse_block_html: false, auto_ids: false, syntax_highlighter: nil}
puts JSON.generate(JSON.parse(STDIN.read).map { |text| Kramdown::Document.new(text, options).to_html })
"""
"""As Jekyll calls it with the options of _config.yml."""


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    new_site(tmp_path, title="T <i>", url="https://a.example", timezone="Asia/Shanghai", baseurl="/b", language="en")
    return tmp_path


def put(archive: Path, name: str, text: str) -> None:
    path = archive / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


# addresses


@given(st.text(min_size=1), st.sampled_from(["news", "Harbour-Post"]), st.dates(date(1000, 1, 1)))
def test_an_address_of_the_writers(key: str, category: str, day: date) -> None:
    name = safe_key(key)
    assert post_url(f"_posts/{day}-{name}.md", [category], day) == f"/{category.lower()}/{day:%Y/%m/%d}/{name}.html"


@pytest.mark.parametrize(
    ("name", "categories", "url"),
    [
        ("a--b", ["x"], "/x/2022/05/19/a-b.html"),
        ("-a b-", ["x"], "/x/2022/05/19/a-b.html"),
        ("a.b.", ["x"], "/x/2022/05/19/a.b.html"),
        ("晨报", ["晨报", "X", "x"], "/%E6%99%A8%E6%8A%A5/x/2022/05/19/%E6%99%A8%E6%8A%A5.html"),
        ("a_b~c!(d)", [], "/2022/05/19/a_b~c!(d).html"),
    ],
)
def test_an_address_of_others(name: str, categories: list[str], url: str) -> None:
    """As Jekyll 4.3 gives them."""
    assert post_url(f"_posts/2022-05-19-{name}.md", categories, date(2022, 5, 19)) == url


@pytest.mark.parametrize("offset", ["+0000", ""])
def test_the_day_of_an_address_is_the_sites(offset: str) -> None:
    """What says no offset is UTC's to Jekyll."""
    date = f"2022-05-18 17:00:37 {offset}".strip()
    post = read_post(f'---\nlayout: post\ntitle: "x"\ndate: {date}\ncategories: c\n---\n<p>x</p>'.encode())
    assert url_of("_posts/2022-05-19-k.md", post, ZONE) == "/c/2022/05/19/k.html"
    assert page_of(post, "/x.html", ZONE)["date"].isoformat() == "2022-05-19T01:00:37+08:00"


# posts


@pytest.mark.skipif(shutil.which("ruby") is None or shutil.which("jekyll") is None, reason="no kramdown")
def test_the_html_of_posts_is_kramdowns() -> None:
    texts = [below(write_post(article, STYLE).decode()) for article in nasty(200)]
    words = ["ruby", "-e", KRAMDOWN]
    done = subprocess.run(words, input=json.dumps(texts), capture_output=True, text=True, check=True)
    for text, theirs in zip(texts, json.loads(done.stdout), strict=True):
        assert plain(text)
        assert tree(html_of(text)) == tree(theirs), text


def tree(text: str) -> object:
    return dom(html.fragment_fromstring(text, create_parent="div"))


def test_the_html_of_a_post_that_was_read() -> None:
    """Quote, body, link and links back; without the signs that only their text holds."""
    for article in nasty(40):
        data = write_post(article, STYLE)
        assert tree(content_of(read_post(data))) == tree(html_of(below(data.decode())))


@pytest.mark.parametrize(
    "text",
    [
        "*em*",
        'a "quote"',
        "it's",
        "a -- b",
        "wait...",
        "# head",
        "- item",
        "1. item",
        "[a]: b",
        "a_b_",
        "`x`",
        "> a\n> b",
        "    code",
        "a | b",
        "a >> b",
        "<b>x</b> y",
        "<p>open",
        "&c",
        "<p>x</p>\n{: .y}",
        "$$x$$",
        "a  \nb",
        "a\\\nb",
    ],
)
def test_what_the_writer_never_writes(text: str) -> None:
    assert plain("<p>x</p>\n\nsome words &#42;here&#42;\n\n<https://e.example/>\n\n[a](/b)｜[c](/)")
    assert not plain(f"<p>x</p>\n\n{text}")


# layouts


def test_a_layout_in_a_layout(archive: Path) -> None:
    put(
        archive,
        "_layouts/inner.html",
        "---\nlayout: outer\nkind: i\nsize: 1\n---\n<i>{{ content }}</i>{{ layout.kind }}",
    )
    outer = "---\nkind: o\n---\n{{ content }}{{ layout.kind }}{{ layout.size }}{{ page.x }}{{ site.title | escape }}"
    put(archive, "_layouts/outer.html", outer)
    put(archive, "_layouts/round.html", "---\nlayout: round\n---\n({{ content }})")
    theme = Theme(archive)
    assert theme.page("inner", {"x": 3}, {}, "c") == "<i>c</i>ii13T &lt;i&gt;"
    assert theme.page("round", {}, {}, "c") == "(c)"
    assert theme.page("no-such", {}, {}, "c") == theme.page("../_config", {}, {}, "c") == "c"
    assert theme.has("inner")
    assert not theme.has("no-such")


def test_an_include_has_its_own_scope(archive: Path) -> None:
    put(
        archive,
        "_includes/a.html",
        "{{ include.x }}{% assign y = include.x %}{% include b.html z='q' %}{{ include.x }}",
    )
    put(archive, "_includes/b.html", "[{{ include.x }}{{ include.z }}{% include c.html %}]")
    put(archive, "_includes/c.html", "{{ include.z }}")
    text = '{% include a.html x=page.n %}{{ y }}{{ include.x }}{% include a.html x="\'" %}{{ y }}'
    assert Theme(archive).text(text, {"n": 5}) == "5[qq]55'[qq]''"


@pytest.mark.parametrize(
    "text",
    [
        "{{ 1 | no_such }}",
        "{% include no.html %}",
        "{% if %}",
        "{% include ../x %}",
        "{{ 'x' | relative_url",
        "{% x %}",
    ],
)
def test_what_liquid_refuses(archive: Path, text: str) -> None:
    with pytest.raises(LiquidError):
        Theme(archive).text(text)


def test_data_is_read_when_asked_for_and_laid_over(archive: Path) -> None:
    put(archive, "_data/days/2022.yml", '"2022-05-19": 2\n')
    put(archive, "_data/days/2021.yml", '"2021-05-19": 1\n')
    put(archive, "_data/lists.yml", "- a\n- {b: c}\n")
    put(archive, "_data/broken.yml", "{")
    theme = Theme(archive)
    each = "{% for day in year[1] %}{{ day[0] }}={{ day[1] }};{% endfor %}"
    days = "{% for year in site.data.days %}{{ year[0] }}:" + each + "{% endfor %}"
    assert theme.text(days) == "2021:2021-05-19=1;2022:2022-05-19=2;"
    assert theme.text("{{ site.data.days.size }}{{ site.data.days['2020'] }}{{ site.data.days[''] }}") == "2"
    assert theme.text("{{ site.data.lists[1].b }}{{ site.data.no.such }}") == "c"
    over = {"data": {"lists": "mine"}, "posts": [1]}
    assert (
        theme.text("{{ site.data.lists }}{{ site.posts.size }}{{ site.data.words.en.feed }}", {}, over) == "mine1Feed"
    )
    assert theme.table("no") == theme.table("lists") == {}


def test_pages_of_the_archive(archive: Path) -> None:
    put(
        archive,
        "more.html",
        "---\nlayout: default\ntitle: More\npermalink: /m/\n---\n<p>{{ page.url }}{{ page.x }}</p>",
    )
    page = Theme(archive).file("more.html", {"x": 1})
    assert "<p>/m/1</p>" in page
    assert "<title>More" in page
    assert "https://a.example/b/m/" in page
    with pytest.raises(FileNotFoundError):
        Theme(archive).file("none.html")


def test_the_digest_of_a_look(archive: Path) -> None:
    """Changes with all that shows, not with what presskeep writes."""
    digest = Theme(archive).digest
    put(archive, "_data/days/2022.yml", '"2022-05-19": 2\n')
    put(archive, "_data/packed.yml", '"months": {}\n')
    put(archive, "_posts/2022-05-19-x.md", "x")
    config = (archive / "_config.yml").read_text("utf-8")
    marked = config.replace("exclude:\n", "exclude:\n  # presskeep pack: x\n  - packed\n  # presskeep pack: end\n")
    put(archive, "_config.yml", marked)
    assert Theme(archive).digest == digest
    digests = {digest}
    for name in ("_layouts/post.html", "_includes/days.html", "_data/words.yml", "_config.yml", "_data/mine.yml"):
        path = archive / name
        put(archive, name, (path.read_text("utf-8") if path.exists() else "") + "\n# x\n")
        digests.add(Theme(archive).digest)
    assert len(digests) == 6


# times


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)), st.integers(-14 * 4, 14 * 4))
@settings(max_examples=60)
def test_times_as_python_has_them(naive: datetime, quarters: int) -> None:
    moment = naive.replace(tzinfo=fixed(timedelta(minutes=15 * quarters)))
    form = "%y %m %d %j %H %I %M %S %p %u %w %V %G %U %W %z %%"
    assert strftime(moment, form) == moment.strftime(form)
    assert strftime(moment, "%FT%T%:z") == moment.isoformat(timespec="seconds")
    assert moment_of(moment.isoformat(), ZONE) == moment


def test_what_is_no_time() -> None:
    nothing: tuple[object, ...] = (
        *(None, "", "soon", "2022-05", "12:30", True, 1.5, [], {}),
        *(10**17, 10**20, -(10**20), f"{10**17}", f"{10**20}", "9" * 5000),  # no seconds that Python can count
    )
    for value in nothing:
        assert moment_of(value, ZONE) is None
    assert moment_of("2022-05-19", ZONE) == moment_of(date(2022, 5, 19), ZONE) == datetime(2022, 5, 19, tzinfo=ZONE)
    assert moment_of("1652893237", ZONE) == moment_of(1652893237, ZONE)
