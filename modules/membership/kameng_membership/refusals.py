"""What membership refuses, with its codes."""

from kameng.errors import Conflict, Refusal, Unauthenticated


class WrongCredentials(Unauthenticated):
    """The e-mail address or the password is wrong; which of them is not told."""

    code = "WRONG_CREDENTIALS"


class AccountBlocked(Refusal):
    """The account exists and the password is right, but the shop has blocked it."""

    code = "ACCOUNT_BLOCKED"


class EmailTaken(Conflict):
    """Somebody has this e-mail address already."""

    code = "EMAIL_TAKEN"


class AlreadySetUp(Conflict):
    """There is an administrator already, so nobody can become the first."""

    code = "ALREADY_SET_UP"


class LastAdministrator(Conflict):
    """After this nobody would be left who may do everything."""

    code = "LAST_ADMINISTRATOR"


class MailNotSetUp(Refusal):
    """This shop sends no mail, so it can send no link either."""

    code = "MAIL_NOT_SET_UP"


def wrong_credentials() -> WrongCredentials:
    """The one answer to a log-in that fails, whatever the reason."""
    return WrongCredentials("The e-mail address or the password is wrong.", cure="Check both and try again.")


def email_taken() -> EmailTaken:
    """The refusal of an address that somebody has."""
    return EmailTaken(
        "There is an account with this e-mail address.",
        cure="Log in, or use another.",
        path=("input", "email"),
    )
