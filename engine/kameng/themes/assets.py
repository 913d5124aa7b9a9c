"""A theme's assets: named by the SHA-256 of their content, so that a browser may keep them for ever."""

from __future__ import annotations

import gzip
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import quote

from kameng.themes.asset_references import PARENT, references, rewritten, target
from kameng.themes.discovery import Layer
from kameng.themes.errors import UnknownName
from kameng.themes.finding import Finding, error, warning

FOLDER = "assets"
ROOT = "/assets"

TYPES = {
    ".avif": "image/avif",
    ".css": "text/css; charset=utf-8",
    ".gif": "image/gif",
    ".ico": "image/x-icon",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".mp4": "video/mp4",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webm": "video/webm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}
"""What is served, and as what; nothing else is."""

_TEXT = frozenset((".css", ".js", ".json", ".mjs", ".svg", ".txt", ".webmanifest"))
_MIN_GAIN = 0.9
_HASH_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is served.

    Attributes:
        path: below ``assets/``.
        public: its name with the hash, such as ``css/main.0123456789abcdef.css``.
        media_type: what it is.
        body: what is sent; with references rewritten.
        compressed: the same by gzip, where that is worth it.
        etag: a strong one.
    """

    path: str
    public: str
    media_type: str
    body: bytes
    compressed: bytes | None
    etag: str


@dataclass(frozen=True, slots=True)
class _Raw:
    layer: int
    path: str
    body: bytes


class Assets:
    """All assets of a theme. A nearer layer's file stands in for a farther one of the same path, wherever that is named.

    Args:
        theme: the name under which they are served.
        layers: nearest first.
    """

    def __init__(self, theme: str, layers: Sequence[Layer]) -> None:
        self.findings: list[Finding] = []
        self.referenced: set[str] = set()
        self._theme = theme
        self._layers = layers
        self._raw: dict[tuple[int, str], _Raw] = {}
        for number, layer in enumerate(layers):
            self._read(number, layer)
        self._links = {key: self._links_of(raw) for key, raw in self._raw.items()}
        self._names = {key: self._name(key) for key in self._raw}
        self._by_public: dict[str, Asset] = {}
        self._by_path: dict[str, Asset] = {}
        for key in self._raw:
            asset = self._make(key)
            self._by_public[asset.public] = asset
            self._by_path.setdefault(asset.path, asset)

    def __contains__(self, path: object) -> bool:
        return path in self._by_path

    @property
    def by_path(self) -> Mapping[str, Asset]:
        """The assets that count, by path."""
        return self._by_path

    def url(self, path: str) -> str:
        """The address of an asset.

        Raises:
            UnknownName: there is none of that path.
        """
        asset = self._by_path.get(path)
        if asset is None:
            raise UnknownName(
                f"There is no asset {path[:100]!r} in {self._theme}.", cure="Mend the path, or add the file."
            )
        return self._address(asset.public)

    def public(self, name: str) -> Asset | None:
        """The asset of a name with a hash."""
        return self._by_public.get(name)

    def plain(self, path: str) -> Asset | None:
        """The asset of a path without a hash, such as an icon that browsers ask for by itself."""
        return self._by_path.get(path)

    def _address(self, public: str) -> str:
        return quote(f"{ROOT}/{self._theme}/{public}")

    def _read(self, number: int, layer: Layer) -> None:
        root = layer.folder / FOLDER
        for file in sorted(root.rglob("*")):
            path = file.relative_to(root).as_posix()
            shown = layer.shown(f"{FOLDER}/{path}")
            if not file.is_file() or file.name.startswith("."):
                continue
            if not file.resolve().is_relative_to(root.resolve()):
                self.findings.append(
                    error(shown, 0, "It is a link out of the theme.", "Put the file itself there.")
                )
            elif file.suffix.lower() not in TYPES:
                self.findings.append(
                    warning(
                        shown, 0, "Files of this kind are not served.", f"Served are: {', '.join(TYPES)}."
                    )
                )
            else:
                self._raw[number, path] = _Raw(number, path, file.read_bytes())

    def _links_of(self, raw: _Raw) -> dict[str, tuple[int, str]]:
        """Where the references of an asset lead to, by reference."""
        links: dict[str, tuple[int, str]] = {}
        shown = self._layers[raw.layer].shown(f"{FOLDER}/{raw.path}")
        if posixpath.splitext(raw.path)[1].lower() not in _TEXT:
            return links
        try:
            text = raw.body.decode()
        except UnicodeDecodeError:
            self.findings.append(error(shown, 0, "It is no UTF-8.", "Save it as UTF-8."))
            return links
        for reference, line in references(raw.path, text):
            path, _ = target(raw.path, reference)
            start = raw.layer + 1 if reference.startswith(PARENT) else 0
            key = next(((n, path) for n in range(start, len(self._layers)) if (n, path) in self._raw), None)
            if key is None:
                message = f"It refers to {reference!r}, which is no asset."
                self.findings.append(error(shown, line, message, "Mend the reference, or add the file."))
            else:
                links[reference] = key
                self.referenced.add(path)
        return links

    def _name(self, key: tuple[int, str]) -> str:
        # An asset's name changes with all that it leads to, circles included: what is hashed is the whole closure.
        closure: set[tuple[int, str]] = set()
        todo = [key]
        while todo:
            item = todo.pop()
            if item not in closure:
                closure.add(item)
                todo += self._links[item].values()
        digest = sha256(self._raw[key].body)
        for number, path in sorted(closure - {key}):
            digest.update(f"\0{path}\0".encode() + sha256(self._raw[number, path].body).digest())
        stem, suffix = posixpath.splitext(key[1])
        return f"{stem}.{digest.hexdigest()[:_HASH_DIGITS]}{suffix}"

    def _make(self, key: tuple[int, str]) -> Asset:
        raw = self._raw[key]
        body = raw.body
        links = self._links[key]
        if links:

            def address(reference: str) -> str:
                aim = links.get(reference)
                return (
                    reference
                    if aim is None
                    else self._address(self._names[aim]) + target(raw.path, reference)[1]
                )

            body = rewritten(raw.path, body.decode(), address).encode()
        suffix = posixpath.splitext(raw.path)[1].lower()
        packed = gzip.compress(body, 9, mtime=0) if suffix in _TEXT and len(body) > 400 else None
        if packed is not None and len(packed) > len(body) * _MIN_GAIN:
            packed = None
        etag = f'"{sha256(body).hexdigest()[:32]}"'
        return Asset(raw.path, self._names[key], TYPES[suffix], body, packed, etag)
