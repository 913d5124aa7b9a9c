"""Where the key ring lies, on real files."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from kameng.errors import BootError
from kameng.settings import Settings
from kameng.vault import (
    KeyRing,
    KeyRingError,
    KeyRingExistsError,
    KeyRingExposedError,
    KeyRingInvalidError,
    KeyRingMissingError,
    KeyRingReadOnlyError,
    create_key_ring,
)
from kameng.vault.key_ring import Purpose
from kameng.vault.ring_source import locate


def settings(root, **values):
    return Settings({"kameng": {"data_dir": ".kameng", **values}}, root=root)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_development_makes_the_ring_on_first_use_for_its_owner_alone(tmp_path):
    source = locate(settings(tmp_path), {})
    ring = source.read()

    path = tmp_path / ".kameng" / "vault.keys"
    assert source.path == path
    assert mode(path) == 0o600
    assert source.read() == ring
    assert list(path.parent.iterdir()) == [path]


def test_a_loose_umask_does_not_loosen_the_file(tmp_path):
    before = os.umask(0)
    try:
        create_key_ring(tmp_path / "new" / "vault.keys")
    finally:
        os.umask(before)

    assert mode(tmp_path / "new" / "vault.keys") == 0o600


def test_production_makes_none_and_says_what_to_do(tmp_path):
    with pytest.raises(KeyRingMissingError, match=r"There are no master keys at .*vault\.keys") as caught:
        locate(settings(tmp_path, environment="production"), {}).read()

    assert isinstance(caught.value, BootError)
    assert caught.value.code == "VAULT_KEYS_MISSING"
    assert "kameng vault init" in caught.value.cure
    assert not (tmp_path / ".kameng").exists()


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o660, 0o666, 0o610, 0o601, 0o620, 0o602])
def test_a_file_that_others_may_use_is_refused(tmp_path, bits):
    path = tmp_path / "vault.keys"
    create_key_ring(path)
    path.chmod(bits)

    with pytest.raises(KeyRingExposedError, match=f"{bits:04o}") as caught:
        locate(settings(tmp_path, master_keys_file="vault.keys"), {}).read()

    assert caught.value.code == "VAULT_KEYS_EXPOSED"
    assert f"chmod 600 {path}" in caught.value.cure


def test_a_link_to_a_file_that_others_may_read_is_refused(tmp_path):
    create_key_ring(tmp_path / "real.keys")
    (tmp_path / "real.keys").chmod(0o644)
    (tmp_path / "vault.keys").symlink_to("real.keys")

    with pytest.raises(KeyRingExposedError):
        locate(settings(tmp_path, master_keys_file="vault.keys"), {}).read()


def test_a_read_only_file_of_the_owner_is_fine(tmp_path):
    ring = create_key_ring(tmp_path / "vault.keys")
    (tmp_path / "vault.keys").chmod(0o400)

    assert locate(settings(tmp_path, master_keys_file="vault.keys"), {}).read() == ring


def test_an_existing_ring_is_never_overwritten(tmp_path):
    path = tmp_path / "vault.keys"
    create_key_ring(path)
    before = path.read_bytes()

    with pytest.raises(KeyRingExistsError, match="There are master keys"):
        create_key_ring(path)

    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_damaged_file_is_an_error_and_not_replaced_even_in_development(tmp_path):
    path = tmp_path / "vault.keys"
    path.write_text("{}")
    path.chmod(0o600)

    with pytest.raises(KeyRingInvalidError):
        locate(settings(tmp_path, master_keys_file="vault.keys"), {}).read()

    assert path.read_text() == "{}"


def test_a_folder_in_its_place_is_an_error(tmp_path):
    (tmp_path / "vault.keys").mkdir(mode=0o700)

    with pytest.raises(KeyRingError, match="cannot be read"):
        locate(settings(tmp_path, master_keys_file="vault.keys"), {}).read()


def test_a_place_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(KeyRingError, match="No master keys can be made"):
        create_key_ring(tmp_path / "file" / "vault.keys")


def test_processes_that_start_at_once_agree_on_one_ring(tmp_path):
    code = (
        "import sys; from pathlib import Path; from kameng.settings import Settings;"
        "from kameng.vault.ring_source import locate; sys.stdin.read(1);"
        "ring = locate(Settings({'kameng': {'data_dir': 'data'}}, root=Path(sys.argv[1])), {}).read();"
        "print(ring.keys[0].fingerprint.hex())"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    answers = [process.communicate("x")[0] for process in started]

    assert [process.returncode for process in started] == [0, 0, 0, 0]
    assert len(set(answers)) == 1
    assert len(answers[0].strip()) == 32


def test_the_first_place_that_is_set_counts(tmp_path):
    given = create_key_ring(tmp_path / "named.keys")
    configured = settings(tmp_path, master_keys_file="configured.keys")
    environ = {
        "KAMENG_MASTER_KEYS": given.text().text(),
        "KAMENG_MASTER_KEYS_FILE": str(tmp_path / "mounted.keys"),
    }

    assert locate(configured, environ).path is None
    assert locate(configured, environ).read() == given
    del environ["KAMENG_MASTER_KEYS"]
    assert locate(configured, environ).path == tmp_path / "mounted.keys"
    assert locate(configured, {}).path == tmp_path / "configured.keys"
    assert locate(settings(tmp_path), {}).path == tmp_path / ".kameng" / "vault.keys"


def test_a_ring_from_the_environment_cannot_be_replaced(tmp_path):
    ring = KeyRing.fresh()
    source = locate(settings(tmp_path), {"KAMENG_MASTER_KEYS": ring.text().text()})

    with pytest.raises(KeyRingReadOnlyError, match="cannot be changed from here"):
        source.replace(ring.with_new(Purpose.WRAPPING))
    assert "key" not in repr(source.given)


def test_replacing_keeps_mode_and_owner(tmp_path):
    path = tmp_path / "vault.keys"
    ring = create_key_ring(path)
    if os.geteuid() == 0:
        os.chown(path, 12345, 12346)
    owner = path.stat().st_uid, path.stat().st_gid
    newer = ring.with_new(Purpose.WRAPPING)

    source = locate(settings(tmp_path, master_keys_file="vault.keys"), {})
    source.replace(newer)

    assert source.read() == newer
    assert mode(path) == 0o600
    assert (path.stat().st_uid, path.stat().st_gid) == owner
    assert list(tmp_path.iterdir()) == [path]


def test_replacing_behind_a_link_keeps_the_link(tmp_path):
    ring = create_key_ring(tmp_path / "real.keys")
    (tmp_path / "vault.keys").symlink_to(Path("real.keys"))
    source = locate(settings(tmp_path, master_keys_file="vault.keys"), {})

    source.replace(ring.with_new(Purpose.WRAPPING))

    assert (tmp_path / "vault.keys").is_symlink()
    assert source.read().newest(Purpose.WRAPPING).version == 4
