"""Answering forms: check where they come from, run their mutation, then lead on or show them again."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from kameng.auth.cross_site import CrossSiteRequest, check_origin
from kameng.errors import Refusal
from kameng.graphql.context import Context
from kameng.themes import answers, csrf
from kameng.themes.answers import HttpAnswer, PageFailure
from kameng.themes.asking import PageData
from kameng.themes.coercion import fill_variables
from kameng.themes.documents import ThemeDocument
from kameng.themes.error_pages import answer_failure
from kameng.themes.fields import grow, usual_name
from kameng.themes.form_view import INSTANCE_FIELD, KEY_FIELD, NEXT_FIELD, new_key
from kameng.themes.local_path import is_local_path, local_path
from kameng.themes.manifest import FormSpec
from kameng.themes.patterns import filled
from kameng.themes.receiving import read_form, texts_of
from kameng.themes.rendering import Rendering
from kameng.themes.serving import AnyRequest, PageServer
from kameng.themes.visit import OWN_PARAMETER, PostedForm, Visit

if TYPE_CHECKING:
    from kameng.graphql.execution import Answer

FORGED = "This form did not come from this site, or is too old. Go back, load the page again and send it once more."
FAILED = (
    "We do not know whether this went through. Wait a moment and send it again: nothing will happen twice."
)

_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")
# A list of tokens is one of design tokens: whoever mistypes a colour sees it again.
_SECRET = re.compile(r"passw|secret|token(?!s\[)|\botp\b|\bpin\b|\bcv[cv]\b|recovery", re.IGNORECASE)
_FLASH_SECONDS = 60


@dataclass(slots=True)
class Submission:
    """A form as it was sent.

    Attributes:
        name, spec, document: which form.
        pairs: all its fields, in order.
        own: the engine's hidden fields.
        refused: why a file was not taken, by the name of its field.
    """

    name: str
    spec: FormSpec
    document: ThemeDocument
    pairs: Sequence[tuple[str, Any]]
    own: Mapping[str, str]
    refused: Mapping[str, Refusal] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Its idempotency key; a fresh one where the browser sent none that could be."""
        given = self.own.get(KEY_FIELD, "")
        return given if _KEY.fullmatch(given) else new_key()

    def kept(self) -> dict[str, list[str]]:
        """The values that are put back into the form: texts, and no secrets."""
        private = {usual_name(name) for name in self.spec.private}
        kept: dict[str, list[str]] = {}
        for name, value in self.pairs:
            usual = usual_name(name)
            if (
                not name.startswith("_")
                and isinstance(value, str)
                and not _SECRET.search(usual)
                and usual not in private
            ):
                kept.setdefault(usual, []).append(value)
        return kept


class FormServer:
    """Serves the forms of one theme.

    Args:
        pages: serves its pages.
    """

    def __init__(self, pages: PageServer) -> None:
        self._pages = pages
        self._theme = pages.theme

    async def post(self, request: AnyRequest) -> HttpAnswer:
        """Answer POST."""
        visit = self._pages.begin(request)
        try:
            with ExitStack() as files:
                await self._pages.identify(visit, request)
                found = self._theme.routes.match(self._pages.inner_path(visit.path))
                visit.page, visit.parameters = found or ("", {})
                sent = await self._read(request, visit, files)
                self._pages.guard(sent.spec.requires, visit.context.principal)
                return await self._run(visit, sent)
        except Exception as fault:  # the last line of defence: a visitor always gets a page
            return await answer_failure(self._pages, visit, fault)

    async def _read(self, request: AnyRequest, visit: Visit, files: ExitStack) -> Submission:
        name = request.query_params.get(OWN_PARAMETER, "")
        spec, document = self._theme.merged.forms.get(name), self._theme.form_documents.get(name)
        if spec is None or document is None:
            raise PageFailure(404)
        try:
            check_origin("POST", request.headers, cookie_used=True)
        except CrossSiteRequest as fault:
            raise PageFailure(403, FORGED) from fault

        def admit(texts: Mapping[str, str]) -> None:
            if not csrf.holds(texts.get(csrf.FIELD), visit.seed, visit.session):
                raise PageFailure(403, FORGED)

        schema, principal = self._theme.merged.schema, visit.context.principal
        parts = await read_form(request, visit.context.kernel, schema, document, principal, admit, files)
        texts = texts_of(parts.pairs)
        admit(texts)
        pairs = [
            (key, value.replace("\r\n", "\n") if isinstance(value, str) else value)
            for key, value in parts.pairs
        ]
        own = {key: value for key, value in texts.items() if key.startswith("_")}
        return Submission(name, spec, document, pairs, own, parts.refused)

    async def _run(self, visit: Visit, sent: Submission) -> HttpAnswer:
        given = fill_variables(
            sent.document.variables,
            grow(sent.pairs),
            visit.parameters,
            nulls=True,
            zone=self._theme.time_zone,
        )
        if given.errors or sent.refused:
            files, codes = self._refused_files(visit, sent)
            return await self._again(visit, sent, {**given.errors, **files}, 422, codes=codes)
        context = visit.context
        context.idempotency_key = sent.key
        answer = await self._pages.executor.execute(sent.document.source, given.values, context)
        if refusals := _refusals(answer, sent.document):
            speaker = Rendering(self._theme, visit, PageData())
            messages: dict[str, list[str]] = {}
            for error in refusals:
                field = given.field_name(error.get("path") or ())
                messages.setdefault(field, []).append(speaker.refusal(error))
            codes = tuple(str(error.get("code", "")) for error in refusals)
            return await self._again(visit, sent, messages, 422, codes=codes)
        data = answer.data if isinstance(answer.data, dict) else {}
        target = self._target(visit, sent, data)
        # A fault after the deed leaves a payload with holes; who can be led on is, since it has happened.
        if all(data.get(name) is None for name in sent.document.payloads) or (
            answer.errors and target is None
        ):
            return await self._broken(visit, sent, answer.errors or [])
        if sent.spec.shows:
            return await self._again(visit, sent, {}, 200, answer=data)
        return self._led_on(visit, sent, target or visit.address)

    def _refused_files(
        self, visit: Visit, sent: Submission
    ) -> tuple[dict[str, Sequence[str]], Sequence[str]]:
        """Messages by field for files that were not taken, and their codes."""
        speaker = Rendering(self._theme, visit, PageData())
        messages: dict[str, Sequence[str]] = {
            usual_name(name): [
                speaker.refusal({"code": refusal.code, "message": refusal.message, "cure": refusal.cure})
            ]
            for name, refusal in sent.refused.items()
        }
        return messages, tuple(refusal.code for refusal in sent.refused.values())

    def _led_on(self, visit: Visit, sent: Submission, target: str) -> HttpAnswer:
        """Success: to the next page. A script that asked for a block of this one shows the message itself."""
        cookies = self._pages.cookies(visit)
        stays = bool(visit.block) and urlsplit(target).path == visit.path
        if sent.spec.flash and not stays:
            cookies.append(self._pages.cookie(answers.FLASH_COOKIE, sent.name, _FLASH_SECONDS))
        flash = Rendering(self._theme, visit, PageData()).translate(sent.spec.flash or "") if stays else ""
        return answers.redirect(target, cookies, partial=bool(visit.block), flash=flash)

    async def _broken(
        self, visit: Visit, sent: Submission, errors: Sequence[Mapping[str, Any]]
    ) -> HttpAnswer:
        """The mutation gave no payload: who asks may not, or something failed on our side."""
        code = answers.codes(errors)[0] if errors else answers.INTERNAL
        status = answers.status_of(code)
        if status == 401:
            raise PageFailure(401)
        if status >= 500:
            # The outcome is unknown, so the next try must be recognised as the same.
            return await self._again(visit, sent, {"": [FAILED]}, status, key=sent.key)
        return await self._again(visit, sent, {"": [str(errors[0].get("message", ""))]}, status)

    async def _again(
        self,
        visit: Visit,
        sent: Submission,
        errors: Mapping[str, Sequence[str]],
        status: int,
        *,
        key: str | None = None,
        codes: Sequence[str] = (),
        answer: Mapping[str, Any] | None = None,
    ) -> HttpAnswer:
        """Show the form again, with what was typed and what is wrong with it; or its page, with what was answered."""
        theme = self._theme
        name = visit.page if answer is not None else sent.spec.on_error or visit.page
        page = theme.merged.pages.get(name)
        if page is None:
            raise PageFailure(status)
        texts = {field: value[-1] for field, value in sent.kept().items()}
        wanted = theme.merged.patterns[name].parameters
        parameters = {**texts, **visit.parameters}
        if any(item not in parameters for item in wanted):
            raise PageFailure(status)
        shown = Visit(
            path=visit.path,
            query=visit.query,
            context=_fresh(visit.context),
            nonce=visit.nonce,
            block=visit.block,
            page=name,
            parameters={item: parameters[item] for item in wanted},
            seed=visit.seed,
            scheme=visit.scheme,
        )
        speaker = Rendering(theme, shown, PageData())
        shown.posted = PostedForm(
            name=sent.name,
            instance=sent.own.get(INSTANCE_FIELD, ""),
            values=sent.kept(),
            errors={
                field: [speaker.translate(text) for text in messages] for field, messages in errors.items()
            },
            key=key,
            codes=codes,
            answer=answer,
        )
        self._pages.guard(page.requires, shown.context.principal, page.permission)
        return await self._pages.show(shown, page, status)

    def _target(self, visit: Visit, sent: Submission, data: Mapping[str, Any]) -> str | None:
        """Where to go after success; None where the answer lacks what the path is made of."""
        if sent.spec.follow_next and (target := local_path(sent.own.get(NEXT_FIELD))):
            return target
        if sent.spec.success == ".":
            return visit.address
        path = filled(sent.spec.success, data, lambda value: quote(str(value), safe=""))
        return self._theme.prefixed(path) if path is not None and is_local_path(path) else None


def _fresh(context: Context) -> Context:
    """The same request to resolvers, without anything that was loaded before the mutation; cookies are kept."""
    again = Context(
        context.kernel,
        principal=context.principal,
        locale=context.locale,
        schema=context.schema,
        address=context.address,
        correlation_id=context.correlation_id,
        user_agent=context.user_agent,
        visitor=context.visitor,
        host=context.host,
    )
    again.cookies = context.cookies
    return again


def _refusals(answer: Answer, document: ThemeDocument) -> list[Mapping[str, Any]]:
    """The errors of payloads."""
    data = answer.data if isinstance(answer.data, dict) else {}
    payloads = [data.get(name) for name in document.payloads]
    return [
        error for payload in payloads if isinstance(payload, dict) for error in payload.get("errors") or ()
    ]
