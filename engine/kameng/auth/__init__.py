"""Who asks: principals, sessions, API tokens, one-time links, signed requests, passwords.

`Auth` is the kernel's ``kernel.auth``. Who the principals of a deployment are, a module says by fulfilling
`PrincipalDirectory`, and what the staff is called by `StaffNames`.
"""

from kameng.auth.api_tokens import ApiTokenInfo, ApiTokens, IssuedApiToken
from kameng.auth.auth import Auth
from kameng.auth.cookies import SchemaName, SessionCookie
from kameng.auth.credentials import Credentials, read_credentials
from kameng.auth.cross_site import SAFE_METHODS, CrossSiteRequest, check_origin
from kameng.auth.directory import PrincipalDirectory
from kameng.auth.naming import StaffNames
from kameng.auth.nonces import Nonces
from kameng.auth.one_time import FIRST_ADMINISTRATOR, PASSWORD_RESET, OneTimeTokenInvalid, OneTimeTokens
from kameng.auth.passwords import (
    WeakPassword,
    check_password,
    hash_password,
    needs_rehash,
    verify_nobody,
    verify_password,
)
from kameng.auth.principal import VISITOR, Principal, PrincipalKind, StepUpRequired
from kameng.auth.sessions import OpenedSession, SessionInfo, Sessions
from kameng.auth.signing import Signature, SignatureInvalid, read_signature, sign, verify
from kameng.auth.visitors import forget_visitor, greet_visitor, known_visitor

__all__ = [
    "FIRST_ADMINISTRATOR",
    "PASSWORD_RESET",
    "SAFE_METHODS",
    "VISITOR",
    "ApiTokenInfo",
    "ApiTokens",
    "Auth",
    "Credentials",
    "CrossSiteRequest",
    "IssuedApiToken",
    "Nonces",
    "OneTimeTokenInvalid",
    "OneTimeTokens",
    "OpenedSession",
    "Principal",
    "PrincipalDirectory",
    "PrincipalKind",
    "SchemaName",
    "SessionCookie",
    "SessionInfo",
    "Sessions",
    "Signature",
    "SignatureInvalid",
    "StaffNames",
    "StepUpRequired",
    "WeakPassword",
    "check_origin",
    "check_password",
    "forget_visitor",
    "greet_visitor",
    "hash_password",
    "known_visitor",
    "needs_rehash",
    "read_credentials",
    "read_signature",
    "sign",
    "verify",
    "verify_nobody",
    "verify_password",
]
