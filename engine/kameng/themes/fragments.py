"""Fragments of pages that are the same for all: rendered once for all who look, and kept in the process.

    {% cache "departments", categories=data.categories %}…{% endcache %}
    {% cache "help", until=["content.help_changed"], seconds=600 %}…{% endcache %}

Nothing personal can get into one. It sees nothing but the values that it is given, and is kept under their content: two people
who are shown other prices have other fragments, and whoever changes a price changes what it is kept under. Beside them it sees
what the theme is: its translations, addresses, assets, settings and filters; and it is kept apart by theme, site and language.

``until`` names events after which it is rendered anew; all processes hear of them. That is for what a template shows without
being given it. ``seconds`` is the longest that one is kept.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from contextvars import Context, ContextVar
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakKeyDictionary, ref

import orjson
from jinja2 import TemplateAssertionError, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from markupsafe import Markup

from kameng.events.outbox import PAGES_TOPIC
from kameng.graphql.cancelling import ended
from kameng.graphql.live import MISSED

if TYPE_CHECKING:
    from kameng.graphql.live import Live
    from kameng.kernel import Kernel

N = TypeVar("N", bound=nodes.Node)

MOST_BYTES = 16_000_000
"""What all fragments of a process may have together; those that were not shown for the longest time go first."""

LONGEST_SECONDS = 3600

PUBLIC_NAMES = frozenset(
    [
        "_",
        "t",
        "gettext",
        "ngettext",
        "pgettext",
        "locale",
        "locales",
        "settings",
        "url_for",
        "asset",
        "token",
        "document",
    ]
)
"""What a fragment may name beside the values that it is given: the same for everybody who looks at this site in this language."""

_sharing: ContextVar[bool] = ContextVar("kameng_sharing_fragment", default=False)


def is_shared() -> bool:
    """Whether what is rendered just now will be shown to others, too."""
    return _sharing.get()


@dataclass(frozen=True, slots=True)
class _Kept:
    text: Markup
    until: frozenset[str]
    expires: float


class Fragments:
    """The fragments of one process.

    Args:
        most_bytes: what they may have together.
        listen: called before one is kept that an event makes old.
    """

    def __init__(self, most_bytes: int = MOST_BYTES, listen: Callable[[], None] | None = None) -> None:
        self._most = most_bytes
        self._listen = listen
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._bytes = 0
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def bytes(self) -> int:
        """What they have together, roughly."""
        return self._bytes

    def get(self, key: Hashable) -> Markup | None:
        """A fragment, if it is there and not too old."""
        found = self._kept.get(key)
        if found is None or found.expires < time.monotonic():
            self.misses += 1
            return None
        self._kept.move_to_end(key)
        self.hits += 1
        return found.text

    def put(self, key: Hashable, text: Markup, until: frozenset[str], seconds: float) -> None:
        """Keep a fragment."""
        if until and self._listen is not None:
            self._listen()
        self._drop(key)
        size = _size(text)
        if size > self._most:
            return
        self._kept[key] = _Kept(text, until, time.monotonic() + min(seconds, LONGEST_SECONDS))
        self._bytes += size
        while self._bytes > self._most:
            self._drop(next(iter(self._kept)))

    def expire(self, topic: str | None) -> None:
        """An event has happened; None: some may have, nobody knows which."""
        gone = [
            key for key, kept in self._kept.items() if kept.until and (topic is None or topic in kept.until)
        ]
        for key in gone:
            self._drop(key)

    def _drop(self, key: Hashable) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._bytes -= _size(kept.text)


def _size(text: Markup) -> int:
    return 2 * len(text) + 400  # the entry around it


class _Expiry:
    """Hears of events that make fragments old, on the loop of a kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = ref(kernel)
        self._listening: asyncio.Task[None] | None = None
        self.fragments = Fragments(listen=self._begin)

    def _begin(self) -> None:
        kernel = self._kernel()
        if kernel is not None and (self._listening is None or self._listening.done()):
            loop = asyncio.get_running_loop()
            # In a context of its own: it belongs to no request.
            self._listening = loop.create_task(
                self._listen(kernel.live), name="kameng-fragments", context=Context()
            )

    async def _listen(self, live: Live) -> None:
        ending = asyncio.ensure_future(live.ending.wait())
        async with live.subscribe(PAGES_TOPIC) as signals:
            # What was kept before somebody listened may be old.
            self.fragments.expire(None)
            try:
                while not ending.done():
                    heard = asyncio.ensure_future(anext(signals))
                    await asyncio.wait({heard, ending}, return_when=asyncio.FIRST_COMPLETED)
                    if not heard.done():
                        await ended(heard)
                        return
                    signal = heard.result()
                    self.fragments.expire(None if signal is MISSED else signal)
            finally:
                await ended(ending)


_known: WeakKeyDictionary[Kernel, _Expiry] = WeakKeyDictionary()


def fragments_of(kernel: Kernel) -> Fragments:
    """The fragments of a kernel's pages, of all its themes."""
    known = _known.get(kernel)
    if known is None:
        known = _known[kernel] = _Expiry(kernel)
    return known.fragments


class CacheTag(Extension):
    """The tag ``{% cache NAME, value=…, until=[…], seconds=… %}``."""

    tags = {"cache"}

    def parse(self, parser: Parser) -> nodes.Node:
        """The call that the tag stands for."""
        line = next(parser.stream).lineno
        name = parser.parse_expression()
        if not isinstance(name, nodes.Const) or not isinstance(name.value, str):
            parser.fail('A fragment has a name: {% cache "departments", … %}.', line)
        given: dict[str, nodes.Expr] = {}
        while parser.stream.skip_if("comma"):
            key = parser.stream.expect("name").value
            parser.stream.expect("assign")
            if key in given:
                parser.fail(f"{key} is given twice.", line)
            given[key] = parser.parse_expression()
        until = given.pop("until", nodes.List([], lineno=line))
        seconds = given.pop("seconds", nodes.Const(LONGEST_SECONDS, lineno=line))
        body = parser.parse_statements(("name:endcache",), drop_needle=True)
        parameters = [nodes.Name(key, "param", lineno=line) for key in given]
        values = nodes.List(list(given.values()), lineno=line)
        call = self.call_method("shown", [name, nodes.Const(line), values, until, seconds], lineno=line)
        return nodes.CallBlock(call, parameters, [], body).set_lineno(line)

    def shown(
        self,
        name: str,
        line: int,
        values: Sequence[object],
        until: Sequence[str],
        seconds: float,
        caller: Callable[..., Markup],
    ) -> Markup:
        """The fragment, rendered if it is not kept."""
        fragments, scope = self.environment.fragment_scope()  # type: ignore[attr-defined]  # it is a ThemeEnvironment
        if fragments is None or scope is None:
            return _rendered(caller, values)
        try:
            content = blake2b(orjson.dumps(values), digest_size=16).digest()
        except TypeError as fault:
            raise TypeError(
                f"A fragment is kept under what it is given, which must be data: {fault}."
            ) from fault
        key = (scope, name, line, content)
        found: Markup | None = fragments.get(key)
        if found is None:
            found = _rendered(caller, values)
            fragments.put(key, found, frozenset(until), seconds)
        return found


def _rendered(caller: Callable[..., Markup], values: Sequence[object]) -> Markup:
    token = _sharing.set(True)
    try:
        return caller(*values)
    finally:
        _sharing.reset(token)


def check_fragments(tree: nodes.Template, name: str | None, filename: str | None) -> None:
    """See that the fragments of a template name nothing but what they are given.

    Raises:
        TemplateAssertionError: one names something else, which might be personal.
    """
    blocks = [node for node in tree.find_all(nodes.CallBlock) if _is_fragment(node)]
    if not blocks:
        return
    imported = {item.target for item in tree.find_all(nodes.Import) if not item.with_context}
    for item in tree.find_all(nodes.FromImport):
        if not item.with_context:
            imported |= {each if isinstance(each, str) else each[1] for each in item.names}
    macros = {macro.name: macro for macro in tree.find_all(nodes.Macro)}
    checked: set[str] = set()
    todo: list[nodes.CallBlock | nodes.Macro] = list(blocks)
    while todo:
        block = todo.pop()
        own = {parameter.name for parameter in block.args} | _stored(block)
        for child in block.body:
            for include in _all(child, nodes.Include):
                message = (
                    "A cached fragment includes nothing, since what is included sees all; import a macro."
                )
                raise TemplateAssertionError(message, include.lineno, name, filename)
            for variable in _all(child, nodes.Name):
                if variable.ctx != "load" or variable.name in own | imported | PUBLIC_NAMES | _HARMLESS:
                    continue
                if variable.name not in macros:
                    message = f"A cached fragment sees only what it is given, and {variable.name!r} is not."
                    raise TemplateAssertionError(message, variable.lineno, name, filename)
                if variable.name not in checked:
                    checked.add(variable.name)
                    todo.append(macros[variable.name])


_HARMLESS = frozenset(
    ["loop", "range", "dict", "namespace", "cycler", "joiner", "caller", "kwargs", "varargs"]
)


def _all(node: nodes.Node, kind: type[N]) -> list[N]:
    return [*([node] if isinstance(node, kind) else []), *node.find_all(kind)]


def _stored(block: nodes.CallBlock | nodes.Macro) -> set[str]:
    return {
        variable.name
        for child in block.body
        for variable in _all(child, nodes.Name)
        if variable.ctx in ("store", "param")
    }


def _is_fragment(node: nodes.CallBlock) -> bool:
    called = node.call.node
    return isinstance(called, nodes.ExtensionAttribute) and called.identifier == CacheTag.identifier
