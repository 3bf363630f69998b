"""Liquid as Jekyll speaks it: python-liquid's parser with nil as None, Jekyll's ``include`` and filters."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import tzinfo
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import Any, TextIO, cast
from urllib.parse import quote

from liquid import BoundTemplate, Environment, RenderContext, Token, TokenStream
from liquid.ast import Node
from liquid.builtin.expressions import BooleanExpression, FilteredExpression, LoopExpression, parse_primitive, tokenize
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags.for_tag import ForNode, ForTag
from liquid.exceptions import LiquidError, LiquidSyntaxError, TemplateNotFoundError, UnknownFilterError
from liquid.expression import Expression
from liquid.parser import get_parser
from liquid.tag import Tag
from liquid.token import TOKEN_EXPRESSION, TOKEN_OUTPUT, TOKEN_TAG, TOKEN_WORD
from liquid.utils.chain_map import ReadOnlyChainMap

from crawler.archive.allowed import words
from crawler.render.filters import FILTERS, Filter, first, groupable, grouped, integer, last, text
from crawler.render.times import moment_of, strftime

_INCLUDE = re.compile(r"\s*([\w/.\-()+~#@]+)((?:\s+[\w-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'|[\w.-]+))*)\s*")
_PARAMETER = re.compile(r"([\w-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([\w.-]+))")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_IN_ADDRESSES = "/%:?#[]@!$&'()*+,;=-._~"


class _Scopes(ReadOnlyChainMap):
    """Names from the innermost scope outwards; what is not there is nil."""

    def __getitem__(self, key: str) -> Any:
        for names in self._maps:
            if key in names:
                return names[key]
        return None


class _Context(RenderContext):
    """Looks names and filters up as fast as may be: of a page's cost most is that."""

    __slots__ = ()

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.scope = _Scopes(self.locals, self.globals, self.counters)

    def get(self, path: list[object], *, token: Token | None, default: object = None) -> object:
        """Nil where a part of the way is not there."""
        value: Any = self.scope[cast(str, path[0])]
        for part in path[1:]:
            if value is None:
                return None
            value = _part(value, part)
        return value

    def filter(self, name: str, token: Token | None) -> Filter:
        """Raises UnknownFilterError: Jekyll would leave the value as it is, and say nothing."""
        found = cast("Liquid", self.env).plain.get(name)
        if found is not None:
            return found
        needing = cast("Liquid", self.env).needing.get(name)
        if needing is None:
            raise UnknownFilterError(f"unknown filter '{name}'", token=token)
        return partial(needing, self)


def _part(value: Any, part: Any) -> Any:
    """``value.part``: of a mapping its own, else what Liquid has for all: size, first, last."""
    if isinstance(value, str):
        return len(value) if part == "size" else None
    try:
        return value[part]
    except (KeyError, IndexError, TypeError):
        listed = isinstance(value, list | tuple | Mapping | range)
        if part == "size" and listed:
            return len(value)
        if part == "first" and listed:
            return first(value)
        return last(value) if part == "last" and listed else None


class _Template(BoundTemplate):
    context_class = _Context


_NAMES = words("as cols continue else for if in limit not offset required reversed with")
"""Words that python-liquid keeps for itself everywhere; to Ruby's Liquid they are names but in a loop."""


def _tokens(expression: Token, loop: bool = False) -> TokenStream:
    return TokenStream(_named(list(tokenize(expression.value, expression)), loop))


def _named(tokens: list[Token], loop: bool) -> Iterator[Token]:
    for place, token in enumerate(tokens):
        property_ = place > 0 and tokens[place - 1].kind == "dot" and token.value.isidentifier()
        if not property_ and (token.kind not in _NAMES or (loop and _directs(tokens, place))):
            yield token
        else:
            yield Token(TOKEN_WORD, token.value, token.start_index, token.source)


def _directs(tokens: list[Token], place: int) -> bool:
    """Whether a word of a loop says how to go through it."""
    kind, before = tokens[place].kind, tokens[place - 1].kind
    if kind == "in":
        return place == 1
    if place < 3:
        return False
    after = tokens[place + 1].kind if place + 1 < len(tokens) else ""
    return kind == "reversed" or (kind == "continue" and before == "colon") or after == "colon"


class _Stream(TokenStream):
    """Hands tags their expressions with names as Ruby has them."""

    def into_inner(self, *, tag: Token | None = None, eat: bool = True) -> TokenStream:
        token = self.expect(TOKEN_EXPRESSION)
        if eat:
            next(self)
        return _tokens(token, loop=tag is not None and tag.value == "for")


class _OutputNode(OutputNode):
    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        return buffer.write(text(self.expression.evaluate(context)))


class _Output(Output):
    def parse(self, stream: TokenStream) -> OutputNode:
        token = stream.eat(TOKEN_OUTPUT)
        return _OutputNode(token, FilteredExpression.parse(self.env, _tokens(stream.expect(TOKEN_EXPRESSION))))


class _Loop(LoopExpression):
    """``limit: nil`` is none, ``limit: 0`` is nothing."""

    __slots__ = ()

    def evaluate(self, context: RenderContext) -> tuple[Iterator[object], int]:
        found = self.iterable.evaluate(context)
        whole = list(found.items()) if isinstance(found, Mapping) else [found] if isinstance(found, str) else found
        if not whole or not isinstance(whole, list | tuple | range):
            return iter(()), 0
        start = self._given(self.offset, context) or 0
        limit = self._given(self.limit, context)
        stop = len(whole) if limit is None else min(start + limit, len(whole))
        length = max(stop - start, 0)
        some = islice(whole, start, max(stop, start)) if start or length < len(whole) else iter(whole)
        return (reversed(list(some)) if self.reversed else some), length

    def _given(self, expression: Any, context: RenderContext) -> int | None:
        value = None if expression is None else expression.evaluate(context)
        return None if value is None else integer(value)


class _For(ForTag):
    def parse(self, stream: TokenStream) -> Node:
        node = cast(ForNode, super().parse(stream))
        loop = node.expression
        node.expression = _Loop(
            loop.token,
            loop.identifier,
            loop.iterable,
            limit=loop.limit,
            offset=loop.offset,
            reversed_=loop.reversed,
            cols=loop.cols,
        )
        return node


class _IncludeNode(Node):
    """A file of ``_includes`` in a scope of its own, with what it is given as ``include``."""

    __slots__ = ("given", "name")
    tag = "include"

    def __init__(self, token: Token, name: str, given: dict[str, str | Expression]) -> None:
        super().__init__(token)
        self.name = name
        self.given = given
        self.blank = False

    def __str__(self) -> str:
        return f"{{% include {self.name} %}}"

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        template = cast("Liquid", context.env).included(self.name, self.token)
        given = {
            name: value if isinstance(value, str) else value.evaluate(context) for name, value in self.given.items()
        }
        try:
            with context.extend({"include": given} if given else {}, template=template):
                for node in template.nodes:
                    node.render(context, buffer)
        except LiquidError as error:
            error.template_name = error.template_name or template.path
            raise
        return 1


class _Include(Tag):
    name = "include"
    block = False

    def parse(self, stream: TokenStream) -> Node:
        token = stream.eat(TOKEN_TAG)
        expression = stream.current
        match = _INCLUDE.fullmatch(expression.value)
        if not match or ".." in match[1]:
            raise LiquidSyntaxError(f"include: expected a file and name=value, got {expression.value!r}", token=token)
        given: dict[str, str | Expression] = {}
        for name, double, single, path in _PARAMETER.findall(match[2]):
            value = Token(TOKEN_EXPRESSION, path, expression.start_index, expression.source)
            given[name] = parse_primitive(self.env, _tokens(value)) if path else double or single
        return _IncludeNode(token, match[1], given)


class Liquid(Environment):
    """One site's: its includes, its addresses, its zone."""

    template_class = _Template

    def __init__(self, includes: Path, url: str, baseurl: str, zone: tzinfo) -> None:
        self._includes = includes
        self._templates: dict[str, BoundTemplate] = {}
        self._url, self._base, self._zone = url, baseurl.removesuffix("/"), zone
        super().__init__(undefined=cast(Any, _nil))
        for tag in (_Include, _For, _Output):
            self.add_tag(tag)
        self.plain: dict[str, Filter] = FILTERS | {
            "absolute_url": lru_cache(maxsize=8192)(self._absolute),
            "date": self._date,
            "date_to_long_string": lambda value: self._moment(value, "%d %B %Y"),
            "date_to_rfc822": lambda value: self._moment(value, "%a, %d %b %Y %H:%M:%S %z"),
            "date_to_string": lambda value: self._moment(value, "%d %b %Y"),
            "date_to_xmlschema": lambda value: self._moment(value, "%FT%T%:z"),
            "relative_url": lru_cache(maxsize=8192)(self._relative),
        }
        self.needing: dict[str, Filter] = {
            "find_exp": self._find_exp,
            "group_by_exp": self._group_by_exp,
            "where_exp": self._where_exp,
        }
        # the parser asks whether a filter is known
        self.filters = {**self.plain, **self.needing}
        self._condition = lru_cache(maxsize=256)(self._parsed_condition)
        self._value = lru_cache(maxsize=256)(self._parsed_value)

    def _parse(self, source: str) -> list[Node]:
        return get_parser(self).parse(_Stream(self.tokenizer()(source)))

    def included(self, name: str, token: Token) -> BoundTemplate:
        """A file of ``_includes``. Raises TemplateNotFoundError."""
        if name not in self._templates:
            try:
                source = (self._includes / name).read_text(encoding="utf-8")
            except OSError as error:
                raise TemplateNotFoundError(f"_includes/{name}: {error.strerror}", token=token) from error
            self._templates[name] = self.from_string(source, name=name, path=f"_includes/{name}")
        return self._templates[name]

    def _relative(self, value: Any) -> str | None:
        """Below the site's base, normalized as addresses are."""
        if value is None:
            return None
        path = text(value)
        if _ABSOLUTE.match(path):
            return path
        whole = "".join(one if not one or one.startswith("/") else f"/{one}" for one in (self._base, path))
        return quote(whole, safe=_IN_ADDRESSES)

    def _absolute(self, value: Any) -> str | None:
        """Likewise, with the site's host."""
        relative = self._relative(value)
        if relative is None or _ABSOLUTE.match(relative):
            return relative
        return f"{self._url}{relative}" if relative or not self._url else f"{self._url}/"

    def _date(self, value: Any, form: Any = None) -> Any:
        if not text(form) or (moment := moment_of(value, self._zone)) is None:
            return value
        return strftime(moment, text(form))

    def _moment(self, value: Any, form: str) -> Any:
        """In the site's zone. Raises ValueError for what is no time, as Jekyll does."""
        if not text(value):
            return value
        moment = moment_of(value, self._zone)
        if moment is None:
            raise ValueError(f"Invalid Date: {value!r} is not a valid datetime.")
        return strftime(moment.astimezone(self._zone), form)

    def _where_exp(self, context: RenderContext, value: Any, name: str, expression: str) -> Any:
        listed = groupable(value)
        if listed is None:
            return value
        holds = self._condition(expression)
        return [item for item in listed if _within(context, name, item, holds.evaluate)]

    def _find_exp(self, context: RenderContext, value: Any, name: str, expression: str) -> Any:
        listed = groupable(value)
        if listed is None:
            return value
        holds = self._condition(expression)
        return next((item for item in listed if _within(context, name, item, holds.evaluate)), None)

    def _group_by_exp(self, context: RenderContext, value: Any, name: str, expression: str) -> Any:
        listed = groupable(value)
        if listed is None or isinstance(value, Mapping):
            return value
        found = self._value(expression)
        return grouped(listed, lambda item: _within(context, name, item, found.evaluate))

    def _parsed_condition(self, expression: str) -> BooleanExpression:
        return BooleanExpression.parse(self, _tokens(Token(TOKEN_EXPRESSION, expression, 0, expression)))

    def _parsed_value(self, expression: str) -> Any:
        return FilteredExpression.parse(self, _tokens(Token(TOKEN_EXPRESSION, expression, 0, expression)))


def _nil(*_: Any, **__: Any) -> None:
    """What is not there."""


def _within(context: RenderContext, name: str, item: Any, evaluate: Callable[[RenderContext], Any]) -> Any:
    with context.extend({name: item}):
        return evaluate(context)
