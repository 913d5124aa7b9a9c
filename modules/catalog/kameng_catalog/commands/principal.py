"""Who a command of the catalogue acts as."""

from kameng.auth.principal import Principal, PrincipalKind

COMMAND_LINE = Principal(kind=PrincipalKind.STAFF)
"""Whoever has a shell on the server: one of the staff, without an account that we know."""
