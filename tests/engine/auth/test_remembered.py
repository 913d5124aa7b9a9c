"""What is remembered of tokens is bounded, short-lived, and never older than a revocation."""

import time

from kameng.auth import Principal, PrincipalKind
from kameng.auth.remembered import Known, Remembered
from kameng.ids import new_id


def somebody():
    return Known(Principal(kind=PrincipalKind.MEMBER, id=new_id()))


def listening(size=10, seconds=60.0):
    remembered = Remembered(size, seconds)
    remembered.listening = True
    return remembered


def keep(remembered, token, known, seconds=60.0):
    remembered.keep(token, known, seconds=seconds, age=remembered.age)


def test_what_is_kept_is_told_until_it_is_forgotten():
    remembered, ann, bob = listening(), somebody(), somebody()
    keep(remembered, b"1", ann)
    keep(remembered, b"2", ann)
    keep(remembered, b"3", bob)
    assert (remembered.get(b"1"), remembered.get(b"2"), remembered.get(b"3")) == (ann, ann, bob)
    remembered.forget(ann.principal.key)
    assert (remembered.get(b"1"), remembered.get(b"2"), remembered.get(b"3")) == (None, None, bob)
    assert len(remembered) == 1


def test_the_least_recently_used_leaves_first():
    remembered, people = listening(size=2), [somebody() for _ in range(3)]
    keep(remembered, b"0", people[0])
    keep(remembered, b"1", people[1])
    remembered.get(b"0")
    keep(remembered, b"2", people[2])
    assert [remembered.get(token) for token in (b"0", b"1", b"2")] == [people[0], None, people[2]]
    assert len(remembered) == 2


def test_a_full_memory_keeps_no_trace_of_those_who_left():
    remembered = listening(size=3)
    for number in range(100):
        keep(remembered, str(number).encode(), somebody())
    assert len(remembered) == 3
    assert len(remembered._tokens) == 3


def test_nothing_outlives_its_session_or_the_setting():
    remembered, ann = listening(seconds=60), somebody()
    keep(remembered, b"1", ann, seconds=0.0)
    assert remembered.get(b"1") is None
    assert len(remembered) == 0
    brief = listening(seconds=0.05)
    keep(brief, b"1", ann, seconds=3600)
    time.sleep(0.06)
    assert brief.get(b"1") is None


def test_nothing_is_kept_or_told_while_revocations_are_not_heard():
    remembered, ann = Remembered(10, 60), somebody()
    keep(remembered, b"1", ann)
    remembered.listening = True
    assert remembered.get(b"1") is None
    keep(remembered, b"1", ann)
    remembered.listening = False
    assert remembered.get(b"1") is None


def test_an_answer_that_was_under_way_when_somebody_was_forgotten_is_not_kept():
    remembered, ann, bob = listening(), somebody(), somebody()
    age = remembered.age
    remembered.forget(bob.principal.key)
    remembered.keep(b"1", ann, seconds=60, age=age)
    assert remembered.get(b"1") is None
    remembered.keep(b"1", ann, seconds=60, age=remembered.age)
    assert remembered.get(b"1") == ann


def test_it_can_be_switched_off():
    for remembered in (listening(size=0), listening(seconds=0)):
        assert not remembered.enabled
        keep(remembered, b"1", somebody())
        assert remembered.get(b"1") is None


def test_forgetting_everybody_forgets_everybody():
    remembered = listening()
    keep(remembered, b"1", somebody())
    remembered.forget_all()
    assert len(remembered) == 0
    assert remembered.get(b"1") is None
