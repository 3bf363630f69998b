"""How well copies are known: precision and recall on invented pairs, and what a sketch costs.

``python -m tests.benchmarks.stories [--seed N] [--stories N]``; the thresholds of crawler/syndication/sketch.py were
chosen on seed 1 and are reported on others. Real pages, where the shared folder has them, hold no copies: what is found
among them is printed, to be looked at.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from random import Random
from time import process_time

import click
import yaml

from crawler.syndication.sketch import TOGETHER, Sketch, are_one, sketch
from tests.shared import SHARED

_DATA = yaml.safe_load(Path(__file__).with_suffix(".yml").read_text("utf-8"))


class Prose:
    """Invented sentences of one language."""

    def __init__(self, random: Random, chinese: bool) -> None:
        self.random, self.chinese = random, chinese
        self.data = _DATA["zh" if chinese else "en"]
        self._slots = {name: words.split(None if chinese else " | ") for name, words in self.data["words"].items()}
        self._own = [self.name() for _ in range(60)]  # a story has words of its own

    def sentence(self) -> str:
        """One sentence, with a name or number now and then."""
        said = {name + again: self._word(name) for name in self._slots for again in ("", "2")}
        said |= {"number": self._number(), "name": self.name()}
        shape: str = self.random.choice(self.data["shapes"])
        return shape.format_map(said)

    def _word(self, slot: str) -> str:
        own = self.random.choice(self._own)
        word: str = self.random.choice(self._slots[slot])
        if slot in ("when", "does"):
            return word
        return f"{own}{word}" if self.chinese else f"{word} of {own}" if slot == "who" else f"{word} at {own}"

    def name(self) -> str:
        """Of a person or place."""
        if self.chinese:
            return "".join(self.random.choices("陈林郑苏顾沈韩梁澄洛岑汀渚湄岚棠桐杉柏", k=self.random.choice((2, 3))))
        return "".join(self.random.choices(re.findall("..", "badoelfigaholimjekarloemernoroplen"), k=3)).capitalize()

    def _number(self) -> str:
        return self.random.choice(
            (
                str(self.random.randint(2, 99)),
                f"{self.random.uniform(1, 90):.1f}",
                f"{self.random.randint(1, 9)},{self.random.randint(100, 999)}",
            )
        )

    def paragraphs(self, count: int) -> list[str]:
        """So many, of two to four sentences."""
        return [self.join([self.sentence() for _ in range(self.random.randint(2, 4))]) for _ in range(count)]

    def join(self, sentences: Sequence[str]) -> str:
        return ("" if self.chinese else " ").join(sentences)

    def sentences(self, text: str) -> list[str]:
        """Those of a paragraph."""
        return [one for one in re.split(r"(?<=。)|(?<=\.) (?=[A-Z])", text) if one]


@dataclass(frozen=True, slots=True)
class Text:
    """An invented article; those of one ``story`` are copies of each other."""

    story: int
    source: str
    kind: str
    text: str


# copies: paragraphs of the original -> paragraphs of the copy

Change = Callable[[Prose, list[str]], list[str]]


def _edited(share: float) -> Change:
    """So many of the sentences are another's words: new, left out, or with other words in them."""

    def edit(prose: Prose, paragraphs: list[str]) -> list[str]:
        changed = []
        for paragraph in paragraphs:
            sentences = [
                _reworded(prose, one) if prose.random.random() < share else one for one in prose.sentences(paragraph)
            ]
            changed.append(prose.join([one for one in sentences if one]))
        return [one for one in changed if one]

    return edit


def _reworded(prose: Prose, sentence: str) -> str:
    way = prose.random.random()
    if way < 0.3:
        return ""
    if way < 0.6:
        return prose.sentence()
    return prose.join([sentence[: len(sentence) // 2], prose.sentence()])


def _framed(prose: Prose, paragraphs: list[str]) -> list[str]:
    """With dateline, credit and a site's tail."""
    month, day, name = prose.random.randint(1, 12), prose.random.randint(1, 28), prose.name()
    if prose.chinese:
        head, tail = (
            f"本报{prose.name()}{month}月{day}日电（记者{name}）",
            f"（责任编辑：{name}）\n转载请注明出处，文章仅代表作者观点。",
        )
    else:
        head, tail = (
            f"{prose.name().upper()}, March {day} (Wire) — ",
            f"Reporting by {name}\nSign up for our newsletter.",
        )
    return [head + paragraphs[0], *paragraphs[1:], tail]


def _cut(prose: Prose, paragraphs: list[str]) -> list[str]:
    """Its first paragraphs alone, half of them or more."""
    return paragraphs[: prose.random.randint(max(1, len(paragraphs) // 2), len(paragraphs))]


def _short(prose: Prose, paragraphs: list[str]) -> list[str]:
    """Its beginning, a quarter to a half."""
    return paragraphs[: max(2, round(len(paragraphs) * prose.random.uniform(0.25, 0.5)))]


def _merged(prose: Prose, paragraphs: list[str]) -> list[str]:
    """Within a longer text."""
    before, after = prose.random.randint(0, len(paragraphs)), prose.random.randint(1, len(paragraphs))
    return [*prose.paragraphs(before), *paragraphs, *prose.paragraphs(after)]


def _reordered(prose: Prose, paragraphs: list[str]) -> list[str]:
    """In another order, some paragraphs run together."""
    shuffled = prose.random.sample(paragraphs, len(paragraphs))
    return [prose.join(shuffled[:2]), *shuffled[2:]]


def _both(first: Change, second: Change) -> Change:
    return lambda prose, paragraphs: second(prose, first(prose, paragraphs))


COPIES: dict[str, Change] = {
    "same words": lambda prose, paragraphs: paragraphs,
    "framed": _framed,
    "10 % edited": _both(_edited(0.1), _framed),
    "20 % edited": _both(_edited(0.2), _framed),
    "30 % edited": _edited(0.3),
    "40 % edited": _edited(0.4),
    "cut": _both(_cut, _framed),
    "short version": _both(_short, _framed),
    "merged": _merged,
    "reordered": _both(_reordered, _edited(0.1)),
}


# what is no copy, however like it is


def _anew(prose: Prose, paragraphs: list[str]) -> list[str]:
    """The same event in other words: names, numbers and one sentence that is quoted."""
    quoted = prose.random.choice([one for each in paragraphs for one in prose.sentences(each)])
    facts = re.findall(r"\d[\d.,]*\d|\d", prose.join(paragraphs))[:8]
    told = "、".join(facts) + "等数字也被提到。" if prose.chinese else "Figures of " + ", ".join(facts) + " were named."
    fresh = prose.paragraphs(len(paragraphs))
    return [fresh[0], *fresh[1:], quoted, told]


def _live(prose: Prose, paragraphs: list[str]) -> list[str]:
    """A live blog that quotes a fifth of another's entries."""
    quoted = prose.random.sample(paragraphs, max(1, len(paragraphs) // 5))
    entries = prose.paragraphs(len(paragraphs)) + quoted
    return prose.random.sample(entries, len(entries))


def _template(prose: Prose) -> Iterator[list[str]]:
    """A report that comes every day, with other numbers."""
    r = prose.random
    shape = r.choice(prose.data["templates"])
    fixed = prose.paragraphs(1)[0] if r.random() < 0.5 else ""
    while True:
        filled = re.sub(
            "#", lambda _: f"{r.uniform(1, 5000):.2f}" if r.random() < 0.7 else str(r.randint(1, 99)), shape
        )
        yield [one for one in (filled.replace("@", prose.name()), fixed) if one]


def corpus(seed: int, stories: int) -> list[Text]:
    """Stories with their copies, and what is no copy; all in random order."""
    random = Random(seed)
    made: list[Text] = []
    numbers = iter(range(10**9))
    for number in range(stories):
        prose = Prose(random, chinese=number % 2 == 0)
        made += _family(prose, numbers)
        if number % 4 < 2:
            made += [
                Text(next(numbers), f"s{n}", "template", "\n".join(one))
                for n, one in zip(range(6), _template(prose), strict=False)
            ]
    return random.sample(made, len(made))


def _family(prose: Prose, numbers: Iterator[int]) -> Iterator[Text]:
    """A story, four copies of it, and three texts that are like it."""
    story, r = next(numbers), prose.random
    paragraphs = prose.paragraphs(r.randint(4, 12))
    yield Text(story, "s0", "original", "\n".join(paragraphs))
    for place, kind in enumerate(r.sample(list(COPIES), 4), 1):
        yield Text(story, f"s{place}", kind, "\n".join(COPIES[kind](prose, paragraphs)))
    yield Text(next(numbers), "s5", "written anew", "\n".join(_anew(prose, paragraphs)))
    yield Text(next(numbers), "s6", "live blog", "\n".join(_live(prose, paragraphs)))
    boilerplate = "\n".join(prose.paragraphs(2))
    for source in ("s7", "s8"):
        own = "\n".join(prose.paragraphs(r.randint(3, 6)))
        yield Text(next(numbers), source, "same boilerplate", f"{own}\n{boilerplate}")


@dataclass(slots=True)
class Score:
    """Pairs of texts of different sources."""

    right: int = 0
    wrong: Counter[tuple[str, ...]] = field(default_factory=Counter)
    missed: Counter[tuple[str, ...]] = field(default_factory=Counter)

    @property
    def precision(self) -> float:
        return self.right / max(1, self.right + self.wrong.total())

    @property
    def recall(self) -> float:
        return self.right / max(1, self.right + self.missed.total())


def matched(sketches: Sequence[Sketch]) -> Iterator[tuple[int, int]]:
    """Pairs that are found by their anchors and hold when they are compared."""
    holders: defaultdict[int, list[int]] = defaultdict(list)
    for place, one in enumerate(sketches):
        shared = Counter(other for anchor in one.anchors for other in holders[anchor])
        for other, count in shared.items():
            if count >= TOGETHER and are_one(one, sketches[other]):
                yield other, place
        for anchor in one.anchors:
            holders[anchor].append(place)


def clusters(count: int, pairs: Iterator[tuple[int, int]]) -> list[int]:
    """Place -> the first place of its cluster."""
    first = list(range(count))

    def root(place: int) -> int:
        while first[place] != place:
            place = first[place]
        return place

    for one, other in pairs:
        low, high = sorted((root(one), root(other)))
        first[high] = low
    return [root(place) for place in range(count)]


def score(texts: Sequence[Text]) -> Score:
    """Of clusters: two texts of different sources are one where they are in the same cluster."""
    sketches = [sketch(one.text) for one in texts]
    pairs = ((a, b) for a, b in matched(sketches) if texts[a].source != texts[b].source)
    cluster = clusters(len(texts), pairs)
    found = Score()
    for one, other in _pairs(cluster, texts):
        if texts[one].story == texts[other].story:
            found.right += 1
        else:
            found.wrong[tuple(sorted((texts[one].kind, texts[other].kind)))] += 1
    for one, other in _pairs([text.story for text in texts], texts):
        if cluster[one] != cluster[other]:
            found.missed[tuple(sorted((texts[one].kind, texts[other].kind)))] += 1
    return found


def _pairs(groups: Sequence[int], texts: Sequence[Text]) -> Iterator[tuple[int, int]]:
    members: defaultdict[int, list[int]] = defaultdict(list)
    for place, group in enumerate(groups):
        members[group].append(place)
    for places in members.values():
        yield from ((a, b) for a, b in combinations(places, 2) if texts[a].source != texts[b].source)


@click.command(help=__doc__)
@click.option("--seed", default=2, show_default=True)
@click.option("--stories", default=400, show_default=True)
def main(seed: int, stories: int) -> None:
    """Makes, compares, prints."""
    texts = corpus(seed, stories)
    found = score(texts)
    click.echo(f"{len(texts)} texts of seed {seed}: precision {found.precision:.4f}, recall {found.recall:.4f}")
    for name, kinds in (("wrong", found.wrong), ("missed", found.missed)):
        for kind, count in kinds.most_common(12):
            click.echo(f"  {name}: {' / '.join(kind)}: {count}")
    click.echo(_cost([one.text for one in texts]))
    for line in _real():
        click.echo(line)


def _cost(texts: Sequence[str]) -> str:
    begun = process_time()
    sketches = [sketch(one) for one in texts]
    spent = 1000 * (process_time() - begun) / len(texts)
    length = sum(map(len, texts)) / len(texts)
    anchors = sum(len(one.anchors) for one in sketches) / len(texts)
    size = sum(len(one.packed()) for one in sketches) / len(texts)
    return (
        f"a sketch: {spent:.2f} ms of CPU, of {length:.0f} characters on average; {anchors:.0f} anchors, {size:.0f} B"
    )


def _real() -> Iterator[str]:
    file = SHARED / "corpus" / "truth.jsonl"
    if not file.is_file():
        return
    pages = [one for one in map(json.loads, file.read_text("utf-8").split("\n")[:-1]) if one["body"]]
    found = list(matched([sketch(one["body"]) for one in pages]))
    yield _cost([one["body"] for one in pages])
    yield f"{len(pages)} real articles: {len(found)} pairs are taken for copies"
    yield from (f"  {pages[a]['url']} {pages[b]['url']}" for a, b in found)


if __name__ == "__main__":
    main()
