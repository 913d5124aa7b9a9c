"""What can go wrong with sites and their looks.

Refusal
├── InvalidInput
│   ├── SiteRefused           a site's code, title or domain cannot be used
│   ├── SettingRefused        a value of a theme's setting is not what its JSON Schema allows
│   ├── TokenRefused          a value of a design token is not of the token's type
│   ├── ContrastTooLow        a colour would make a text hard to read
│   └── LogoRefused           the file is no picture that can be a logo
├── ThemeUnusable             the theme is not installed, is no storefront, or has errors
├── PreviewRefused            a preview's link is forged, too old, or of another site
└── Conflict
    └── DraftChanged          somebody else has changed the draft in between
"""

from kameng.errors import Conflict, InvalidInput, Refusal


class SiteRefused(InvalidInput):
    """The site's code, title or domain cannot be used."""

    code = "SITE_REFUSED"


class SettingRefused(InvalidInput):
    """The value is not what the theme's setting allows."""

    code = "SETTING_REFUSED"


class TokenRefused(InvalidInput):
    """The value is not of the design token's type."""

    code = "TOKEN_REFUSED"


class ContrastTooLow(InvalidInput):
    """The colour would make a text hard to read."""

    code = "CONTRAST_TOO_LOW"


class LogoRefused(InvalidInput):
    """The file is no picture that can be a logo."""

    code = "LOGO_REFUSED"


class ThemeUnusable(Refusal):
    """The theme is not installed, is no storefront, or has errors."""

    code = "THEME_UNUSABLE"


class PreviewRefused(Refusal):
    """The preview's link is forged, too old, or of another site."""

    code = "PREVIEW_REFUSED"


class DraftChanged(Conflict):
    """Somebody else has changed the draft in between."""

    code = "DRAFT_CHANGED"
