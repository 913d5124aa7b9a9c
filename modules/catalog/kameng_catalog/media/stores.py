"""Where pictures are kept: a folder of this machine, or a bucket that speaks S3.

What is kept never changes, since its name is made of its content: writing it twice is writing it once.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
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
