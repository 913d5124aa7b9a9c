"""Why a review is refused."""

from kameng.errors import Conflict, Forbidden, InvalidInput


class NotBought(Forbidden):
    """Only buyers review a product."""

    code = "NOT_BOUGHT"


class AlreadyReviewed(Conflict):
    """A member reviews a product once."""

    code = "ALREADY_REVIEWED"


class StarsOutOfRange(InvalidInput):
    """A review has one to five stars."""

    code = "STARS_OUT_OF_RANGE"


class TextUnusable(InvalidInput):
    """A review's text is empty or too long."""

    code = "TEXT_UNUSABLE"
