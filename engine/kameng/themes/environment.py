"""Templates: found in layers, compiled in a sandbox, escaped always, strict about what is undefined.

A template's internal name is ``layer::path``. Nobody outside writes such a name: a template names others by plain paths, which
mean the nearest layer that has one, or by ``@parent/path``, which means the nearest layer below its own. So a child may extend
the very template that it replaces, however many layers there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Any

from jinja2 import BaseLoader, StrictUndefined, Template, TemplateAssertionError, TemplateNotFound, nodes
from jinja2.environment import Environment
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

from kameng.themes.discovery import Layer
from kameng.themes.errors import TemplateRefused
from kameng.themes.fragments import PUBLIC_NAMES, CacheTag, Fragments, check_fragments, is_shared
from kameng.themes.slots import Contribution

FOLDER = "templates"
SEPARATOR = "::"
PARENT = "@parent/"

_rendering: ContextVar[Mapping[str, Any]] = ContextVar("kameng_rendering", default=MappingProxyType({}))
_DICT_METHODS = frozenset(("get", "items", "keys", "values"))
_UNUSED_GLOBALS = ("lipsum", "_")
_numbers = count()  # of environments, so that a theme that was made ready anew has fragments of its own


@contextmanager
def rendering(values: Mapping[str, Any]) -> Iterator[None]:
    """Let templates see these values, imported macros included, for as long as the block lasts."""
    token = _rendering.set(values)
    try:
        yield
    finally:
        _rendering.reset(token)


class _InternalName(str):
    """A ``layer::path`` of our own making. No template can make one, so a text from outside is never taken for one."""

    __slots__ = ()


class _PageContext(Context):
    """Finds what is neither a variable nor a global among the values of the rendering."""

    def resolve_or_missing(self, key: str) -> Any:
        found = super().resolve_or_missing(key)
        if found is not missing or (is_shared() and key not in PUBLIC_NAMES and not key.startswith("_")):
            return found
        return _rendering.get().get(key, missing)


class LayerLoader(BaseLoader):
    """Finds templates in the folders of layers.

    Args:
        layers: name and folder of each layer of the theme, nearest first.
        modules: folders of modules' layers, by name.
    """

    def __init__(self, layers: Sequence[tuple[str, Path]], modules: Mapping[str, Path]) -> None:
        self._layers = list(layers)
        self._modules = frozenset(modules)
        # Read once: while pages are shown, no name leads to the file system.
        self._files = {name: _templates(folder) for name, folder in (*layers, *modules.items())}
        self._resolved: dict[tuple[str, str | None], str] = {}
        # What modules bring stands behind all layers, under a path of its own, so that a theme can write it anew.
        self._offered = {
            f"modules/{name.split('.')[1]}/{path}": f"{name}{SEPARATOR}{path}"
            for name in modules
            for path in self._files[name]
        }

    def resolve(self, name: str, asking: str | None = None) -> str:
        """The internal name of a template.

        Args:
            name: a path below a layer's ``templates/``, or ``@parent/`` and one.
            asking: internal name of the template that asks.

        Raises:
            TemplateRefused: the name holds ``::`` or leaves its folder.
            TemplateNotFound: no layer has it.
        """
        own = asking.partition(SEPARATOR)[0] if asking else None
        known = self._resolved.get((name, own))
        if known is None:
            known = self._find(name, own)
            self._resolved[name, own] = known
        return known

    def _find(self, name: str, own: str | None) -> str:
        path = name.removeprefix(PARENT)
        if SEPARATOR in name or "\\" in name or any(part in ("", ".", "..") for part in path.split("/")):
            raise TemplateRefused(
                f"{name[:100]!r} is no name of a template.", cure="Write a path such as parts/card.html."
            )
        names = [layer for layer, _ in self._layers]
        if name.startswith(PARENT):
            names = names[names.index(own) + 1 :] if own in names else names
        elif own in self._modules:
            names = [own, *names]
        for layer in names:
            if path in self._files[layer]:
                return f"{layer}{SEPARATOR}{path}"
        if path in self._offered:
            return self._offered[path]
        raise TemplateNotFound(name, f"There is no template {name!r} in {' → '.join(names) or 'any layer'}.")

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        """What Jinja asks for, by internal name."""
        layer, separator, path = template.partition(SEPARATOR)
        file = self._files.get(layer, {}).get(path) if separator else None
        if file is None:
            raise TemplateNotFound(template)
        return file.read_text("utf-8"), str(file), lambda: True

    def all_names(self) -> list[str]:
        """Internal names of all templates, overridden ones and those of modules included."""
        return [f"{layer}{SEPARATOR}{path}" for layer, files in self._files.items() for path in files]


def _templates(folder: Path) -> dict[str, Path]:
    """The templates below a folder by path; a link that leads out of it is none of them."""
    root = folder.resolve()
    return {
        file.relative_to(folder).as_posix(): file
        for file in sorted(folder.rglob("*.html"))
        if file.is_file() and file.resolve().is_relative_to(root)
    }


class ThemeEnvironment(ImmutableSandboxedEnvironment):
    """Jinja for one theme.

    Args:
        layers: nearest first.
        contributions: modules' pieces for slots.
        module_layers: folders of the templates of modules' pages, by the names of their layers.
        filters: added to Jinja's own.
    """

    context_class = _PageContext

    def __init__(
        self,
        layers: Sequence[Layer],
        contributions: Sequence[Contribution] = (),
        module_layers: Mapping[str, Path] = MappingProxyType({}),
        filters: Mapping[str, Callable[..., Any]] | None = None,
    ) -> None:
        self.layer_loader = LayerLoader(
            [(layer.name, layer.folder / FOLDER) for layer in layers],
            {**{piece.layer: piece.folder for piece in contributions}, **module_layers},
        )
        super().__init__(
            loader=self.layer_loader,
            autoescape=True,
            undefined=StrictUndefined,
            extensions=("jinja2.ext.i18n", "jinja2.ext.loopcontrols", "jinja2.ext.do", CacheTag),
            trim_blocks=True,
            lstrip_blocks=True,
            cache_size=-1,
            auto_reload=False,
        )
        self.policies["ext.i18n.trimmed"] = True
        self._number = next(_numbers)
        for name in _UNUSED_GLOBALS:
            self.globals.pop(name, None)
        # Escaping has no way out: what a product is called never becomes markup.
        del self.filters["safe"]
        self.filters.update(filters or {})

    def join_path(self, template: str, parent: str) -> str:
        """The internal name of what a template names."""
        return (
            template if isinstance(template, _InternalName) else self.layer_loader.resolve(template, parent)
        )

    def get_template(
        self,
        name: str | Template,
        parent: str | None = None,
        globals: MutableMapping[str, Any] | None = None,  # noqa: A002 - Jinja names it so
    ) -> Template:
        """A template by the name that another gives it; without another, as the nearest layer has it."""
        return super().get_template(name, parent or "", globals)

    def select_template(
        self,
        names: Iterable[str | Template],
        parent: str | None = None,
        globals: MutableMapping[str, Any] | None = None,  # noqa: A002 - Jinja names it so
    ) -> Template:
        """The first of several templates that there is."""
        return super().select_template(names, parent or "", globals)

    def internal_template(self, name: str) -> Template:
        """A template by its internal name, as the loader gave it."""
        return self.get_template(_InternalName(name))

    def page_template(self, path: str) -> Template:
        """The template that a plain path means.

        Raises:
            TemplateRefused: the path is none.
            TemplateNotFound: no layer has it.
        """
        return self.get_template(path)

    def render_block(self, path: str, block: str) -> str | None:
        """One block of a template alone, as the template or whatever it extends has it; None where none has it."""
        template = self.page_template(path)
        context = template.new_context()
        # The blocks of all templates extended are gathered before the outermost one writes its first piece.
        whole = template.root_render_func(context)
        next(iter(whole), None)
        renderers = context.blocks.get(block)
        return self.concat(renderers[0](context)) if renderers else None

    def fragment_scope(self) -> tuple[Fragments | None, tuple[object, ...]]:
        """Where fragments of what is being rendered are kept, and what tells those of other themes and languages apart."""
        values = _rendering.get()
        return values.get("_fragments"), (self._number, values.get("_variant"), values.get("locale"))

    def slot_template(self, piece: Contribution) -> Template:
        """A module's template for a slot, or the theme's own ``modules/<module>/<path>`` in its stead."""
        return self.page_template(f"modules/{piece.module}/{piece.template}")

    def getattr(self, obj: Any, attribute: str) -> Any:
        """An attribute; of a dict its key, since an answer's field may well be called ``items``."""
        if isinstance(obj, dict):
            if attribute in obj:
                return obj[attribute]
            if attribute not in _DICT_METHODS:
                return self.undefined(obj=obj, name=attribute)
        return super().getattr(obj, attribute)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Whether a template may see an attribute: none that begins with an underscore, on any object."""
        return not attr.startswith("_") and super().is_safe_attribute(obj, attr, value)

    def _generate(
        self, source: nodes.Template, name: str | None, filename: str | None, defer_init: bool = False
    ) -> str:
        for node in source.find_all((nodes.EvalContextModifier, nodes.ScopedEvalContextModifier)):
            raise TemplateAssertionError("Escaping cannot be switched off.", node.lineno, name, filename)
        check_fragments(source, name, filename)
        return super()._generate(source, name, filename, defer_init)
