"""A secret shows itself nowhere."""

import copy
import logging
import pickle
import traceback
from dataclasses import asdict, dataclass

import msgspec
import orjson
import pytest

from kameng.vault import KeyRing, Secret

HIDDEN = "correct horse battery staple"


@pytest.mark.parametrize(
    "show",
    [
        pytest.param(repr, id="repr"),
        pytest.param(str, id="str"),
        pytest.param(format, id="format"),
        pytest.param("{:>20}".format, id="{:>20}"),
        pytest.param("{!r}".format, id="{!r}"),
        pytest.param("%s".__mod__, id="%s"),
    ],
)
def test_no_way_of_printing_shows_it(show):
    assert HIDDEN not in show(Secret(HIDDEN))
    assert "Secret(***)" in show(Secret(HIDDEN))


def test_a_structure_that_holds_one_does_not_show_it_either():
    @dataclass
    class Gateway:
        name: str
        key: Secret

    gateway = Gateway("wechat", Secret(HIDDEN))

    assert repr(gateway).endswith("Gateway(name='wechat', key=Secret(***))")
    assert HIDDEN not in str(
        [asdict(gateway), {"key": gateway.key}, copy.deepcopy(gateway), copy.copy(gateway.key)]
    )


def test_json_writers_refuse_it():
    with pytest.raises(TypeError):
        orjson.dumps({"key": Secret(HIDDEN)})
    with pytest.raises(TypeError):
        msgspec.json.encode([Secret(HIDDEN)])
    with pytest.raises(TypeError):
        msgspec.to_builtins({"key": Secret(HIDDEN)})


def test_json_writers_with_a_fallback_to_text_get_the_mask():
    assert orjson.dumps({"key": Secret(HIDDEN)}, default=str) == b'{"key":"Secret(***)"}'


def test_pickle_refuses_it():
    with pytest.raises(TypeError, match="not written down"):
        pickle.dumps(Secret(HIDDEN))


def test_it_has_no_attributes_to_dump():
    with pytest.raises(TypeError):
        vars(Secret(HIDDEN))


def test_a_log_line_and_a_traceback_hold_the_mask(caplog):
    try:
        raise ValueError(Secret(HIDDEN))
    except ValueError as error:
        logging.getLogger("test").exception("failed for %s", Secret(HIDDEN))
        shown = "".join(traceback.format_exception(error)) + caplog.text

    assert HIDDEN not in shown
    assert "failed for Secret(***)" in shown


def test_only_asking_for_it_gives_the_value():
    assert Secret("密码").reveal() == "密码".encode()
    assert Secret("密码".encode()).text() == "密码"


def test_equal_secrets_are_equal_and_nothing_else_is():
    assert Secret("a") == Secret(b"a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert not Secret("")
    with pytest.raises(TypeError, match="unhashable"):
        hash(Secret("a"))


def test_a_key_ring_shows_none_of_its_keys():
    ring = KeyRing.fresh()
    shown = repr(ring) + str(ring) + repr(ring.text())

    for key in ring.keys:
        assert repr(key.secret.reveal()) not in shown
    assert shown.count("Secret(***)") == 7
