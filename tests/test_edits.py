"""What is an edit, what is none, and when an article is looked at again: pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.archive.ledger import stamp
from crawler.edits import Text, following, judge, normal, says_gone, similarity, strays

FERRY = (
    "青渡区的三孔石桥今天恢复通行，历时十四个月的修缮到此结束。\n工匠给取下的每块石头编了号，再按原来的次序砌回去，没有换掉一块。\n"
    "桥面从此不再允许机动车驶入，行人和自行车可以全天通过。"
)
OTHER = (
    "远海渔业公司公布了第三季度的报告，收入比去年同期多两成。\n"
    "公司说，新造的两条船明年春天下水，届时会再招四十名船员。\n董事会没有谈到分红的事情。"
)


def verdict(new: str, old: str = FERRY, title: str = "石桥通行") -> str:
    return judge(Text("石桥通行", old), Text(title, new))


@pytest.mark.parametrize(
    "new",
    [
        FERRY,
        FERRY.replace("\n", "\n\n \u3000"),
        FERRY.replace("，", ",").replace("。", "。\u200b"),
        FERRY + "\n阅读 1,234 · 评论 56",
        "浏览：10万+\n" + FERRY,
        FERRY + "\n1.2k views | 30 comments",
        FERRY + "\n广告：青渡家具城开业大酬宾",
        FERRY.replace("\n", "\n【广告】买船票送伞\n", 1),
        FERRY + "\nAdvertisement",
    ],
)
def test_no_edit(new: str) -> None:
    assert verdict(new) == "same"


@pytest.mark.parametrize(
    "new",
    [
        FERRY.replace("十四", "十五"),
        FERRY + "\n更新：傍晚已有三千人走过石桥。",
        FERRY.replace("全天", "白天"),
        FERRY + "\n" + OTHER * 5,
        "广告业今年的收入增长百分之五，超过了所有人的预期。\n" + FERRY,
        FERRY + "\n阅读量最大的是第12版的社论",
        "更正：" + FERRY.split("\n")[0],
    ],
)
def test_an_edit(new: str) -> None:
    assert verdict(new) == "edit"


def test_numbers_alone_are_news() -> None:
    assert verdict(FERRY + "\n3,500", FERRY + "\n3,400") == "edit"


def test_a_headline() -> None:
    assert verdict(FERRY, title="石桥恢复通行") == "edit"
    assert verdict(FERRY, title="石桥\u3000通行") == "same"


@pytest.mark.parametrize(
    ("new", "apart"),
    [
        (FERRY + "\n今晚七点，青渡 剧场见", {"今晚七点,青渡剧场见"}),
        (FERRY.replace("\n", "\n扫码下载\n", 1), {"扫码下载"}),
        ("\n".join(FERRY.split("\n")[::-1]), set()),
        (FERRY + "\n更正：" + FERRY.split("\n")[0], {normal("更正：" + FERRY.split("\n")[0])}),
        (FERRY + "\n" + "很长的一段话" * 20, set()),
        (FERRY + "\n阅读 1,234", set()),
        (FERRY, set()),
    ],
)
def test_short_lines_alone(new: str, apart: set[str]) -> None:
    old, later = Text("石桥通行", FERRY), Text("石桥通行", new)
    assert strays(old, later) == strays(later, old) == apart
    assert strays(old, Text("石桥恢复通行", new)) == frozenset()


def test_what_may_replace_nothing() -> None:
    assert verdict(OTHER) == "another text"
    assert verdict("") == "another text"
    assert verdict(FERRY.split("\n")[0] + "……") == "shorter than half"
    assert verdict("请先登录后阅读全文") == "another text"


@given(st.text(), st.text())
def test_similarity_is_a_symmetric_part(one: str, other: str) -> None:
    assert 0 <= similarity(one, other) == similarity(other, one) <= 1
    assert similarity(one, one) == (1 if one else 0)
    assert normal(normal(one)) == normal(one) or "\n" in one or normal(normal(one)) == ""


@given(st.text(alphabet="海港渡轮恢复通航今天首班载客人说风浪不大码头新换灯", min_size=60, max_size=200), st.data())
def test_a_word_that_changed_leaves_a_text_alike(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text) - 1))
    changed = text[:at] + "雾" + text[at + 1 :]
    assert judge(Text("渡轮", text), Text("渡轮", changed)) == "edit"


@pytest.mark.parametrize(
    ("html", "gone"),
    [
        ("<title>404</title><p>x", True),
        ("<title>页面不存在 - 海港新闻</title>", True),
        ("<h1 class=a>该文章已被删除</h1>", True),
        ("<h1>Page not found</h1>", True),
        ("<title>石桥通行</title><p>页面不存在", False),
        ("<h1>请同意我们使用 Cookie</h1>", False),
    ],
)
def test_a_page_that_says_it_is_gone(html: str, gone: bool) -> None:
    assert says_gone(html) is gone


SPANS = [timedelta(minutes=15), timedelta(hours=1), timedelta(days=30), timedelta(days=1)]


@given(st.integers(0, 60 * 24 * 40))
def test_the_next_look(minutes: int) -> None:
    """The nearest span that has not passed: looks that were missed are made up for by one."""
    kept = datetime(2026, 3, 16, 8, tzinfo=UTC)
    now = kept + timedelta(minutes=minutes)
    left = [kept + span for span in SPANS if kept + span > now]
    assert following(stamp(kept), SPANS, now) == (stamp(min(left)) if left else "")
    assert following("", SPANS, now) == following(stamp(kept), [], now) == ""
