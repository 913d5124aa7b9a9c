"""Whom the shop does not call, whatever the address says or the name leads to."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kameng.errors import SettingsError
from kameng.kernel import Kernel
from kameng.settings import Settings
from kameng.webhooks import check_at_start, module
from kameng.webhooks.addresses import is_private, is_public
from kameng.webhooks.destination import Destination, look_up
from kameng.webhooks.errors import AddressRefused, AnswerMissing, EndpointRefused
from kameng.webhooks.posting import post
from kameng.webhooks.settings import WebhooksSettings

from .conftest import Receiver

STRICT = WebhooksSettings()
LOOSE = WebhooksSettings(allow_loopback=True, timeout_seconds=2.0)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/x",  # not encrypted
        "ftp://hooks.example/x",
        "file:///etc/passwd",
        "gopher://hooks.example/_x",
        "//hooks.example/x",
        "hooks.example",
        "",
        "https://",
        "https:///x",
        "https://user@hooks.example/x",
        "https://user:word@hooks.example/x",
        "https://@hooks.example/x",
        "https://hooks.example/x#fragment",
        "https://hooks.example:22/x",
        "https://hooks.example:6379/",
        "https://hooks.example:0/",
        "https://hooks.example:99999/",
        "https://hooks.example:x/",
        "https://hooks.example\\@127.0.0.1/",
        "https://hooks.example /x",
        "https://hooks.example/x\r\nhost: evil",
        "https://hooks.example/\x00",
        "https://шоп.example/x",
        "https://ｌocalhost/",
        "https://localhost/",
        "https://LOCALHOST./",
        "https://127.0.0.1/",
        "https://127.0.0.1:8443/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:a9fe:a9fe]/",
        "https://[::127.0.0.1]/",
        "https://[fe80::1%25eth0]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[fd00:ec2::254]/",
        "https://100.100.100.200/",
        "https://168.63.129.16/",
        "https://10.0.0.1/",
        "https://172.16.0.1/",
        "https://192.168.1.1/",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https://255.255.255.255/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://[2001:0:7f00:1::]/",
        "https://a.example/" + "x" * 2000,
    ],
)
def test_addresses_that_are_refused_when_they_are_saved(url: str) -> None:
    with pytest.raises(EndpointRefused):
        Destination.read(url, STRICT)


@pytest.mark.parametrize(
    ("url", "host", "port", "target", "authority"),
    [
        ("https://hooks.example", "hooks.example", 443, "/", "hooks.example"),
        ("https://Hooks.Example./a?b=c", "hooks.example", 443, "/a?b=c", "hooks.example"),
        ("https://hooks.example:8443/a%20b", "hooks.example", 8443, "/a%20b", "hooks.example:8443"),
        ("https://xn--55qx5d.example/", "xn--55qx5d.example", 443, "/", "xn--55qx5d.example"),
        ("https://8.8.8.8/", "8.8.8.8", 443, "/", "8.8.8.8"),
        ("https://[2606:4700::1111]:8443/", "2606:4700::1111", 8443, "/", "[2606:4700::1111]:8443"),
    ],
)
def test_addresses_that_are_taken(url: str, host: str, port: int, target: str, authority: str) -> None:
    destination = Destination.read(url, STRICT)
    assert (destination.host, destination.port, destination.target) == (host, port, target)
    assert destination.authority == authority


CLOSED = [
    "0.0.0.0",
    "0.1.2.3",
    "10.1.2.3",
    "100.64.0.1",
    "100.127.255.254",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "168.63.129.16",
    "100.100.100.200",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:2::1",
    "2001:10::1",
    "2001:db8::1",
    "2002:a00:1::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "ff02::1",
]


@pytest.mark.parametrize("address", CLOSED)
async def test_names_that_lead_to_closed_addresses(address: str) -> None:
    assert not is_public(address)
    destination = Destination.read("https://hooks.example/", STRICT)
    with pytest.raises(AddressRefused):
        await destination.addresses(STRICT, resolving(address))
    # also where a public address stands beside it
    with pytest.raises(AddressRefused):
        await destination.addresses(STRICT, resolving("8.8.8.8", address))


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "100.63.255.255", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8"]
)
async def test_names_that_lead_to_public_addresses(address: str) -> None:
    destination = Destination.read("https://hooks.example/", STRICT)
    assert await destination.addresses(STRICT, resolving(address)) == [address]


async def test_an_operator_can_open_hosts_of_his_own_network() -> None:
    # given a private host that is named
    settings = WebhooksSettings(private_hosts=("erp.internal",))
    destination = Destination.read("https://erp.internal/", settings)
    # then its private addresses are open
    for address in ("10.0.0.5", "192.168.3.4", "fd12::1", "100.64.0.9"):
        assert await destination.addresses(settings, resolving(address)) == [address]
    # but not this machine, its link, or where clouds tell their secrets
    for address in (
        "127.0.0.1",
        "::1",
        "169.254.169.254",
        "fe80::1",
        "fd00:ec2::254",
        "100.100.100.200",
        "0.0.0.0",
    ):
        assert not is_private(address)
        with pytest.raises(AddressRefused):
            await destination.addresses(settings, resolving(address))
    # and no other name leads there
    other = Destination.read("https://hooks.example/", settings)
    with pytest.raises(AddressRefused):
        await other.addresses(settings, resolving("10.0.0.5"))
    # a private address itself can be named too
    numbered = WebhooksSettings(private_hosts=("10.0.0.5",))
    assert Destination.read("https://10.0.0.5/", numbered).host == "10.0.0.5"


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0"])
async def test_odd_spellings_of_this_machine(host: str) -> None:
    # The resolver understands them as the C library does; what it makes of them is what is checked.
    try:
        destination = Destination.read(f"https://{host}/", STRICT)
    except EndpointRefused:
        return
    with pytest.raises((AddressRefused, AnswerMissing)):
        await destination.addresses(STRICT, look_up)


async def test_a_name_that_changes_its_mind_gains_nothing(receiver: Receiver) -> None:
    # given a name that leads to this machine only when it is asked a second time
    port = int(receiver.url.rsplit(":", 1)[1])
    asked: list[str] = []

    async def resolve(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ["192.0.2.1"] if len(asked) == 1 else ["127.0.0.1"]

    settings = WebhooksSettings(ports=(443, port), timeout_seconds=1.0)
    destination = Destination.read(f"https://rebinding.example:{port}/ok", settings)
    # then it is refused by the first answer, and not asked again
    with pytest.raises(AddressRefused):
        await post(destination, {}, b"{}", settings, resolve)
    assert asked == ["rebinding.example"]
    assert receiver.got() == []


async def test_plain_http_is_for_this_machine_in_development_only() -> None:
    with pytest.raises(EndpointRefused):
        Destination.read("http://127.0.0.1:8000/", STRICT)
    assert Destination.read("http://127.0.0.1:8000/", LOOSE).port == 8000
    assert Destination.read("http://localhost:8000/", LOOSE).authority == "localhost:8000"
    with pytest.raises(EndpointRefused):
        Destination.read("http://hooks.example/", LOOSE)
    # localhost that leads elsewhere
    with pytest.raises(AddressRefused):
        await Destination.read("http://localhost:8000/", LOOSE).addresses(LOOSE, resolving("8.8.8.8"))


async def test_the_connection_goes_to_the_checked_address_under_the_hosts_name(
    start_receiver: Callable[..., Receiver], tmp_path: Path
) -> None:
    # given a receiver with a certificate for its name, and a name that only our resolver knows
    certificate = make_certificate(tmp_path, "hooks.example")
    receiver = start_receiver(str(certificate))
    port = int(receiver.url.rsplit(":", 1)[1])
    settings = WebhooksSettings(
        allow_loopback=True, ports=(port,), ca_file=str(certificate), timeout_seconds=5.0
    )
    destination = Destination.read(f"https://hooks.example:{port}/ok", settings)
    # when it is called
    reply = await post(destination, {"x-test": "1"}, b"{}", settings, resolving("127.0.0.1"))
    # then the name was in the handshake and in the Host header
    assert (reply.status, reply.excerpt) == (200, b"thanks")
    [request] = receiver.got()
    assert {name.lower(): value for name, value in request["headers"].items()}[
        "host"
    ] == f"hooks.example:{port}"
    assert receiver.log.with_suffix(".sni").read_text() == "hooks.example\n"
    # and under another name the certificate does not hold
    wrong = Destination.read(f"https://other.example:{port}/ok", settings)
    with pytest.raises(AnswerMissing, match="certificate does not hold"):
        await post(wrong, {}, b"{}", settings, resolving("127.0.0.1"))
    # nor does it without our authority
    public = WebhooksSettings(allow_loopback=True, ports=(port,), timeout_seconds=5.0)
    with pytest.raises(AnswerMissing, match="certificate does not hold"):
        await post(destination, {}, b"{}", public, resolving("127.0.0.1"))
    assert len(receiver.got()) == 1


async def test_the_next_address_is_tried_where_nobody_listens(receiver: Receiver) -> None:
    port = int(receiver.url.rsplit(":", 1)[1])
    destination = Destination.read(f"http://localhost:{port}/ok", LOOSE)
    reply = await post(destination, {}, b"{}", LOOSE, resolving("127.0.0.77", "127.0.0.1"))
    assert reply.status == 200
    assert len(receiver.got()) == 1


async def test_proxies_of_the_environment_are_not_asked(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    destination = Destination.read(f"{receiver.url}/ok", LOOSE)
    assert (await post(destination, {}, b"{}", LOOSE)).status == 200


async def test_production_does_not_call_itself(tmp_path: Path) -> None:
    for environment, allowed in (("production", False), ("development", True)):
        tree = {"kameng": {"environment": environment}, "webhooks": {"allow_loopback": True}}
        kernel = Kernel(Settings(tree, root=tmp_path), [module])
        if allowed:
            await check_at_start(kernel)
        else:
            with pytest.raises(SettingsError, match="allow_loopback"):
                await check_at_start(kernel)


def resolving(*addresses: str) -> Callable[[str, int], object]:
    """A resolver that knows these addresses for every name."""

    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return addresses

    return resolve


def make_certificate(folder: Path, name: str) -> Path:
    """A certificate of its own authority for a name, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


def test_the_tables_agree_with_the_standard_library() -> None:
    # Whatever the standard library calls private is closed here too; it knows fewer of the special ranges.
    for number in range(0, 2**32, 65_521):
        address = ipaddress.IPv4Address(number)
        if not address.is_global or address.is_multicast or address.is_reserved:
            assert not is_public(str(address)), address
