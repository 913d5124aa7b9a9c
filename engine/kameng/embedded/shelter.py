"""A place that the servers' account can reach.

As root, the project or the Python environment may lie where no other account may go: below ``/root``, say.
Opening those folders to everybody would be wrong, so what the servers need is kept under `SHELTER` instead:
the data, with a link left where it was wanted, and a copy of the binaries.
"""

import hashlib
import logging
import os
import secrets
import shutil
import stat
import sys
from collections.abc import Callable
from pathlib import Path

from kameng.embedded.account import Account
from kameng.embedded.errors import DataFolderError

SHELTER = Path("/var/lib/kameng" if sys.platform == "linux" else "/usr/local/var/kameng")

log = logging.getLogger(__name__)


def open_shelter(shelter: Path) -> Path:
    """Create the shelter, or check that only root can change it.

    Raises:
        DataFolderError: others can change it, or it cannot be created.
    """
    try:
        shelter.mkdir(parents=True, exist_ok=True, mode=0o755)
    except OSError as error:
        raise DataFolderError(
            f"The server's account cannot reach your folder, nor can {shelter} be made: {error.strerror}.",
            cure="Start Kameng as a plain user, or keep its data where other accounts can go.",
        ) from error
    found = shelter.stat()
    if found.st_uid != os.geteuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise DataFolderError(
            f"The folder {shelter} can be changed by others than root.",
            cure=f"Run: chown root {shelter} && chmod 755 {shelter}",
        )
    shelter.chmod(0o755)
    return shelter


def sheltered_folder(wanted: Path, account: Account, shelter: Path) -> Path:
    """A new folder that stands in for one that the account cannot reach; ``wanted`` becomes a link to it.

    The stand-in has a fresh name each time: whoever deletes his project and starts again expects an empty
    shop, and not the old one.

    Returns:
        The real path.

    Raises:
        DataFolderError: ``wanted`` already holds something, or there is no place that the account can reach.
    """
    if wanted.is_dir():
        try:
            wanted.rmdir()
        except OSError as error:
            raise DataFolderError(
                f"The server runs as {account.name}, and that account cannot reach the data in {wanted}.",
                cure=f"Move it to where it can, below {shelter} say, and leave a link; or run as its owner.",
            ) from error
    base = open_shelter(shelter)
    mark = hashlib.sha256(os.fsencode(wanted)).hexdigest()[:12]
    for abandoned in base.glob(f"{mark}-*"):
        log.warning(
            "%s holds data of a folder that was %s; delete it if you do not miss it", abandoned, wanted
        )
    place = base / f"{mark}-{secrets.token_hex(4)}"
    place.mkdir()
    place.chmod(0o711)
    if not account.reaches(enter=[place]):
        place.rmdir()
        raise DataFolderError(
            f"The account {account.name} can reach neither {wanted} nor {place}.",
            cure="Start Kameng as a plain user, or keep its data where that account can go.",
        )
    try:
        wanted.symlink_to(place, target_is_directory=True)
    except OSError:
        place.rmdir()
        raise
    return place


def sheltered_copy(name: str, account: Account, shelter: Path, copy: Callable[[Path], None]) -> Path:
    """A copy of binaries in the shelter, made once.

    Args:
        name: a name that changes whenever the content does.
        account: who has to reach it.
        shelter: the folder for copies.
        copy: fills the folder that it is given.
    """
    base = open_shelter(shelter)
    place = base / name
    if not place.is_dir():
        draft = base / f".{name}.{secrets.token_hex(4)}"
        draft.mkdir(mode=0o755)
        try:
            copy(draft)
            for path in (draft, *draft.rglob("*")):
                if not path.is_symlink():
                    runnable = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
                    path.chmod(0o755 if runnable else 0o644)
            draft.rename(place)
        except OSError:
            shutil.rmtree(draft, ignore_errors=True)
            # Another process may have been faster; its copy is as good.
            if not place.is_dir():
                raise
    if not account.reaches(enter=[place]):
        raise DataFolderError(
            f"The account {account.name} cannot reach the binaries, not even their copy in {place}.",
            cure="Start Kameng as a plain user.",
        )
    return place
