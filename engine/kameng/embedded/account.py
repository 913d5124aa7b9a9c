"""Which operating system account a server runs as.

PostgreSQL refuses to run as root, and Valkey has no need to. A plain user runs the servers himself. Root
steps down to whoever owns the folder, so that ``sudo kameng dev`` in somebody's project leaves files that he
can use; in a folder of root's own it steps down to an account that has no other rights.
"""

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kameng.embedded.errors import AccountError

# In order of preference; `_postgres` is macOS's, `daemon` is for images that have shed `nobody`.
UNPRIVILEGED = ("postgres", "_postgres", "nobody", "daemon")


@dataclass(frozen=True, slots=True)
class Account:
    """An operating system account.

    Attributes:
        uid: its number.
        gid: the number of its group.
        name: its name, or an empty string where the number has none.
        stepped_down: we are root and take this account on for the server.
    """

    uid: int
    gid: int
    name: str
    stepped_down: bool

    def process_options(self) -> dict[str, Any]:
        """Arguments for ``subprocess`` that start a process as this account."""
        options: dict[str, Any] = {"cwd": "/", "umask": 0o077, "start_new_session": True}
        if self.stepped_down:
            options |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        return options

    def reaches(
        self, *, read: Sequence[Path] = (), enter: Sequence[Path] = (), run: Sequence[Path] = ()
    ) -> bool:
        """Whether the account can read, enter and run these paths.

        A process of that account is asked, since only the kernel knows all of modes, lists and mount options.
        """
        if not self.stepped_down:
            return True
        asked = [("-r", path) for path in read]
        asked += [("-x", path) for path in (*enter, *run)]
        script = 'while [ $# -gt 0 ]; do test "$1" "$2" || exit 1; shift 2; done'
        words = [word for flag, path in asked for word in (flag, str(path))]
        answer = subprocess.run(
            ["/bin/sh", "-c", script, "reaches", *words], stdin=subprocess.DEVNULL, **self.process_options()
        )
        return answer.returncode == 0

    def give(self, path: Path) -> None:
        """Make the account the owner of a file or folder."""
        if self.stepped_down:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def give_tree(self, folder: Path) -> None:
        """Make the account the owner of a folder and of everything in it."""
        self.give(folder)
        for path in folder.rglob("*"):
            self.give(path)


def account_for(folder: Path) -> Account:
    """The account that runs the server whose data lies in this folder, which need not exist yet.

    Raises:
        AccountError: we are root, and this machine has no account to step down to.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), account_name(os.geteuid()), stepped_down=False)
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    owner = existing.stat()
    if owner.st_uid != 0 and account_name(owner.st_uid):
        return Account(owner.st_uid, owner.st_gid, account_name(owner.st_uid), stepped_down=True)
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, name, stepped_down=True)
    raise AccountError(
        f"The servers must not run as root, and none of the accounts {', '.join(UNPRIVILEGED)} exists here.",
        cure="Create one (useradd --system nobody), or start Kameng as a plain user.",
    )


def account_name(uid: int) -> str:
    """The name of an account, or an empty string if the number has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""
