"""Where the key ring lies, and how it is read, made and replaced there.

The first of these that is set counts:

1. ``KAMENG_MASTER_KEYS``: the ring itself, for platforms that hand out secrets by the environment; it cannot
  be changed from here,
2. ``KAMENG_MASTER_KEYS_FILE``: a file, such as a mounted secret,
3. ``master_keys_file`` in ``[kameng]`` of ``kameng.toml``,
4. ``vault.keys`` in the data folder.

A file must belong to its reader alone (mode 0600 or 0400). It is replaced as a whole, so a reader sees the
old ring or the new one, whatever happens in between.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kameng.vault.errors import (
    KeyRingError,
    KeyRingExistsError,
    KeyRingExposedError,
    KeyRingMissingError,
    KeyRingReadOnlyError,
)
from kameng.vault.key_ring import KeyRing
from kameng.vault.secret import Secret

if TYPE_CHECKING:
    from kameng.settings import Settings

TEXT_VARIABLE = "KAMENG_MASTER_KEYS"
FILE_VARIABLE = "KAMENG_MASTER_KEYS_FILE"


@dataclass(frozen=True, slots=True)
class RingSource:
    """The place of a key ring.

    Attributes:
        path: its file; None if the environment holds the ring itself.
        given: the ring as the environment holds it.
        creates: whether to make a ring where there is none; only development does.
    """

    path: Path | None
    given: Secret | None = None
    creates: bool = False

    def read(self) -> KeyRing:
        """The ring that lies there.

        Raises:
            KeyRingMissingError: there is none, and none is made here.
            KeyRingExposedError: others than the owner may read the file.
            KeyRingInvalidError: it is no key ring.
        """
        if self.path is None:
            return KeyRing.parse(self.given.reveal() if self.given else b"")
        try:
            return KeyRing.parse(_read_private(self.path))
        except FileNotFoundError:
            if not self.creates:
                raise KeyRingMissingError(
                    f"There are no master keys at {self.path}.",
                    cure="Bring the file back from its backup, or for a new shop run `kameng vault init`.",
                ) from None
        try:
            return create_key_ring(self.path)
        except KeyRingExistsError:
            return KeyRing.parse(_read_private(self.path))  # another process was faster

    def replace(self, ring: KeyRing) -> None:
        """Put another ring in the file's place, with the same owner.

        Raises:
            KeyRingReadOnlyError: the ring came by the environment, or the folder cannot be written.
        """
        if self.path is None:
            raise KeyRingReadOnlyError(
                f"The master keys came by {TEXT_VARIABLE} and cannot be changed from here.",
                cure="Add a key of a new version to its JSON, restart all processes with it, then rotate.",
            )
        try:
            target = self.path.resolve()
            new = _write_private(target.parent, ring, owner=target.stat())
            new.replace(target)
            _sync_folder(target.parent)
        except OSError as error:
            raise KeyRingReadOnlyError(
                f"The master keys at {self.path} cannot be replaced: {error.strerror}.",
                cure="Run this as the file's owner, on a folder that can be written.",
            ) from error


def locate(settings: Settings, environ: Mapping[str, str] | None = None) -> RingSource:
    """Where a deployment's key ring lies.

    Args:
        settings: the deployment's settings.
        environ: the environment; None takes the process's own.
    """
    environ = os.environ if environ is None else environ
    if text := environ.get(TEXT_VARIABLE):
        return RingSource(None, given=Secret(text))
    named = environ.get(FILE_VARIABLE) or settings.engine.master_keys_file
    path = settings.root / named if named else settings.data_dir / "vault.keys"
    return RingSource(path, creates=not settings.production)


def create_key_ring(path: Path) -> KeyRing:
    """Make a file of fresh master keys that only its owner may read.

    Raises:
        KeyRingExistsError: there is such a file already.
        KeyRingError: it cannot be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        ring = KeyRing.fresh()
        new = _write_private(path.parent, ring)
        try:
            # A link never overwrites, unlike a rename: of two processes at once, one makes the ring.
            path.hardlink_to(new)
        except FileExistsError:
            raise KeyRingExistsError(
                f"There are master keys at {path} already.",
                cure="Keep them: without them nothing that they seal can be opened. For new ones rotate.",
            ) from None
        finally:
            new.unlink()
        _sync_folder(path.parent)
    except OSError as error:
        raise KeyRingError(
            f"No master keys can be made at {path}: {error.strerror}.", cure="Check the folder."
        ) from error
    return ring


def _read_private(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            # The open file is asked, not the path, which may lead elsewhere a moment later.
            mode = os.fstat(file.fileno()).st_mode
            if mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise KeyRingExposedError(
                    f"The master keys at {path} are open to others (mode {stat.S_IMODE(mode):04o}).",
                    cure=f"chmod 600 {path}; if others had access to the machine, rotate the master key too.",
                )
            return file.read()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise KeyRingError(
            f"The master keys at {path} cannot be read: {error.strerror}.",
            cure="Run this as the file's owner.",
        ) from error


def _write_private(folder: Path, ring: KeyRing, owner: os.stat_result | None = None) -> Path:
    path = folder / f".vault.{secrets.token_hex(8)}"
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if owner is not None and os.geteuid() == 0:
                os.fchown(
                    descriptor, owner.st_uid, owner.st_gid
                )  # or the shop could no longer read what root rotated
            file.write(ring.text().reveal())
            file.flush()
            os.fsync(descriptor)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
