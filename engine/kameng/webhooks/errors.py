"""What can go wrong with a webhook.

Refusal
└── EndpointRefused       an endpoint that cannot be saved as it is
WebhookFailure            an attempt that did not deliver
├── AddressRefused        the endpoint's name leads to where the shop does not call
├── AnswerMissing         no connection, no certificate that holds, or no answer in time
└── PayloadFailed         the endpoint's document could not be executed
"""

from __future__ import annotations

from kameng.errors import InvalidInput, KamengError


class EndpointRefused(InvalidInput):
    """The endpoint's address, events or payload cannot be used."""

    code = "WEBHOOK_ENDPOINT_REFUSED"


class WebhookFailure(KamengError):
    """An attempt did not deliver."""

    code = "WEBHOOK_FAILED"


class AddressRefused(WebhookFailure):
    """The endpoint's name leads to where the shop does not call."""

    code = "WEBHOOK_ADDRESS_REFUSED"


class AnswerMissing(WebhookFailure):
    """No connection, no certificate that holds, or no answer in time."""

    code = "WEBHOOK_NO_ANSWER"


class PayloadFailed(WebhookFailure):
    """The endpoint's document could not be executed."""

    code = "WEBHOOK_PAYLOAD_FAILED"
