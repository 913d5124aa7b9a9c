"""A result as the client receives it."""

import pytest
from graphql import GraphQLError

from kameng.graphql.compiled import Result


def test_data_errors_and_extensions():
    result = Result({"b": 1, "a": None}, [GraphQLError("no a", path=["a"])], {"cost": 2})

    assert result.to_json() == (
        b'{"errors":[{"message":"no a","path":["a"]}],"data":{"b":1,"a":null},"extensions":{"cost":2}}'
    )


def test_a_request_error_has_no_data_entry():
    assert Result(None, [GraphQLError("no")], executed=False).to_json() == b'{"errors":[{"message":"no"}]}'


def test_data_that_is_null_has_one():
    assert Result(None, [GraphQLError("no")]).to_json() == b'{"errors":[{"message":"no"}],"data":null}'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2**70, b"1180591620717411303424"),
        ("\ud800", b'"\\ud800"'),
        ({1: 2}, b'{"1":2}'),
        ("\u4e2d", '"\u4e2d"'.encode()),
    ],
)
def test_whatever_json_can_hold_is_written(value, text):
    assert Result({"v": value}).to_json() == b'{"data":{"v":' + text + b"}}"
