"""Where pictures are kept: a folder of this machine, or a bucket that speaks S3.

What is kept never changes, since its name is made of its content: writing it twice is writing it once.
"""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from kameng.errors import SettingsError
from kameng_catalog.settings import CatalogSettings, MediaSettings

if TYPE_CHECKING:
    from obstore.store import S3Config, S3Store

    from kameng.kernel import Kernel


class MediaStore(Protocol):
    """Keeps files by name."""

    async def put(self, name: str, data: bytes, media_type: str) -> None:
        """Keep a file; it is there for everybody when this returns."""
        ...

    async def get(self, name: str) -> bytes | None:
        """A file; None if there is none."""
        ...

    async def remove(self, name: str) -> None:
        """Keep a file no longer; does nothing if there is none."""
        ...

    def names(self, before: datetime) -> AsyncIterator[Sequence[str]]:
        """The names of all files that were brought before that, some at a time."""
        ...


class FolderStore(msgspec.Struct, frozen=True):
    """Files in a folder; several machines share one by a network file system, or take a bucket.

    Attributes:
        folder: where they lie, spread over folders by the first letters of their names.
    """

    folder: Path

    async def put(self, name: str, data: bytes, media_type: str) -> None:
        """See `MediaStore.put`."""
        await asyncio.to_thread(self._write, self._path(name), data)

    async def get(self, name: str) -> bytes | None:
        """See `MediaStore.get`."""
        return await asyncio.to_thread(self._read, self._path(name))

    async def remove(self, name: str) -> None:
        """See `MediaStore.remove`."""
        await asyncio.to_thread(self._path(name).unlink, missing_ok=True)

    async def names(self, before: datetime) -> AsyncIterator[Sequence[str]]:
        """See `MediaStore.names`."""
        for folder in await asyncio.to_thread(self._folders):
            yield await asyncio.to_thread(_names_in, folder, before.timestamp())

    def _folders(self) -> list[Path]:
        return sorted(path for path in self.folder.iterdir() if path.is_dir()) if self.folder.is_dir() else []

    def _path(self, name: str) -> Path:
        return self.folder / name[:2] / name

    @staticmethod
    def _read(path: Path) -> bytes | None:
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None

    @staticmethod
    def _write(path: Path, data: bytes) -> None:
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            # Readable for whatever serves the folder, and whole whenever it is there at all.
            Path(temporary).chmod(0o644)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def _names_in(folder: Path, before: float) -> list[str]:
    with os.scandir(folder) as files:
        return [file.name for file in files if file.is_file() and file.stat().st_mtime < before]


class BucketStore:
    """Files in a bucket. Whoever may write there is told by the environment, as all tools for S3 have it.

    Args:
        settings: which bucket.

    Raises:
        SettingsError: the package that speaks S3 is not installed.
    """

    def __init__(self, settings: MediaSettings) -> None:
        try:
            from obstore.store import S3Store  # an extra: who keeps pictures in a folder needs none
        except ImportError as error:
            raise SettingsError(
                "[catalog.media] store: buckets need the package obstore.",
                cure="Install kameng-catalog[s3], or keep media in a folder.",
            ) from error
        config: S3Config = {
            "region": settings.region,
            "virtual_hosted_style_request": settings.virtual_hosts,
        }
        if settings.endpoint:
            config["endpoint"] = settings.endpoint
        self._store: S3Store = S3Store(
            settings.bucket,
            prefix=settings.prefix or None,
            config=config,
            client_options={"allow_http": settings.endpoint.startswith("http://"), "timeout": "30s"},
        )

    async def put(self, name: str, data: bytes, media_type: str) -> None:
        """See `MediaStore.put`."""
        attributes = {"Content-Type": media_type, "Cache-Control": IMMUTABLE}
        await self._store.put_async(name, data, attributes=attributes)

    async def get(self, name: str) -> bytes | None:
        """See `MediaStore.get`."""
        try:
            result = await self._store.get_async(name)
        except FileNotFoundError:
            return None
        return bytes(await result.bytes_async())

    async def remove(self, name: str) -> None:
        """See `MediaStore.remove`."""
        with suppress(FileNotFoundError):
            await self._store.delete_async(name)

    async def names(self, before: datetime) -> AsyncIterator[Sequence[str]]:
        """See `MediaStore.names`."""
        async for some in self._store.list(chunk_size=1_000):
            yield [item["path"] for item in some if item["last_modified"] < before]


IMMUTABLE = "public, max-age=31536000, immutable"
"""How long anybody may keep a file whose name is made of its content."""


class Media:
    """The store of a kernel, and the addresses of what lies in it.

    Args:
        kernel: the kernel.
    """

    def __init__(self, kernel: Kernel) -> None:
        self.settings = kernel.settings.section("catalog", CatalogSettings).media
        folder = Path(self.settings.folder)
        self.store: MediaStore = (
            BucketStore(self.settings)
            if self.settings.store == "s3"
            else FolderStore(folder if folder.is_absolute() else kernel.settings.root / folder)
        )
        # Decoding takes memory, so one picture at a time.
        self.reading = asyncio.Lock()
        # Whoever keeps one has two connections of the database.
        self.keeping = asyncio.Lock()
        self._base = self.settings.public_url.rstrip("/") or "/media"

    def address(self, name: str) -> str:
        """Where a file can be fetched."""
        return f"{self._base}/{name}"


def file_name(content_hash: str, extension: str) -> str:
    """The name of a picture."""
    return f"{content_hash}.{extension}"


def thumbnail_name(content_hash: str, width: int) -> str:
    """The name of a small copy."""
    return f"{content_hash}-{width}.webp"


def hash_in(name: str) -> str | None:
    """The hash in a file's name; None if it is none of ours."""
    found = _OURS.fullmatch(name)
    return found and found[1]


_OURS = re.compile(r"([0-9a-f]{64})(-\d{2,4})?\.(png|jpg|webp)")
