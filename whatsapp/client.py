"""The WhatsApp Cloud API over HTTP, every answer told apart by what it proves about the send.

The rules are design.md section 4 and reference/whatsapp.md section 7: WhatsApp has no idempotency
key, so a call is repeated only if it is certain that nothing was sent.
"""

import asyncio
import json
import re
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from domain.delivery import Accepted, Answer, NotSent, Refused, Unclear
from domain.error_codes import ACCOUNT_LIMITS, NOT_TAKEN_IN_5XX, UNAUTHENTICATED, lookup

IDLE_SECONDS = 5.0
"""How long an idle connection is kept. Short, because a connection that the other side closes just
as a request goes out leaves an unclear outcome."""

_TOKEN = re.compile(r"[\x21-\x7e]+")
_TOKEN_LIKE = re.compile(r"[\w|-]{32,}")
_LONGEST_DETAILS = 500
_LONGEST_PAUSE = 86_400.0
_MOST_PAGES = 100
_TEMPLATE_FIELDS = "id,name,language,status,category,components,parameter_format,rejected_reason"
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class CallError(Exception):
    """A call other than a send did not succeed; `answer` says why. Reading may always be repeated."""

    def __init__(self, answer: Refused | NotSent | Unclear) -> None:
        super().__init__(str(answer))
        self.answer = answer


class CloudApi:
    """A pool of connections to the Graph API; use it as an async context manager.

    `base_url` is http(s) without a version, `version` as in `v25.0`, `http_timeout` the longest a
    whole call may take in seconds, `connections` the most calls in flight at once. Access tokens
    are given per call and are never kept, logged or put into an answer.

    Raises `ValueError` when `base_url` is not an http(s) address.
    """

    def __init__(
        self,
        base_url: str,
        version: str,
        *,
        http_timeout: float = 30.0,
        connections: int = 100,
    ) -> None:
        root = httpx.URL(base_url)
        if root.scheme not in {"http", "https"} or not root.host:
            raise ValueError("the address of the Cloud API starts with http:// or https://")
        self._http_timeout = http_timeout
        # Waiting for a connection, making it and its TLS are over before the whole call's time is,
        # so that a call which runs out of time has always begun to write: what never left is known
        # by its own error.
        before = min(5.0, http_timeout / 4)
        # No proxies or certificates from the environment: where a token goes is ours to decide.
        transport = httpx.AsyncHTTPTransport(
            retries=0,
            http2=False,
            trust_env=False,
            limits=httpx.Limits(
                max_connections=connections,
                max_keepalive_connections=connections,
                keepalive_expiry=IDLE_SECONDS,
            ),
        )
        self._http = httpx.AsyncClient(
            base_url=f"{str(root).rstrip('/')}/{version}/",
            transport=transport,
            trust_env=False,
            timeout=httpx.Timeout(connect=before, read=http_timeout, write=10.0, pool=before),
            headers={"User-Agent": "sendout", "Accept": "application/json"},
        )

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    async def send(
        self, *, phone_number_id: str, access_token: str, body: Mapping[str, Any]
    ) -> Answer:
        """Send one message body (`payloads.request_body`) and say what came of it.

        Never raises for what the network or WhatsApp does; cancelling it leaves the outcome
        unclear. An answer comes within `http_timeout` seconds.
        """
        response = await self._call(
            "POST",
            f"{quote(phone_number_id, safe='')}/messages",
            access_token,
            # ASCII only: half an emoji pair in a text is then still a request that can be written.
            content=json.dumps(body, separators=(",", ":"), allow_nan=False).encode("ascii"),
        )
        if not isinstance(response, httpx.Response):
            return response
        return _sent(response) if response.is_success else _refused(response, access_token)

    async def list_templates(self, *, waba_id: str, access_token: str) -> list[dict[str, Any]]:
        """All message templates of a WhatsApp account as the Graph API gives them.

        Raises `CallError` when any page cannot be read, and after 100 pages of 100.
        """
        templates: list[dict[str, Any]] = []
        query = {"limit": "100", "fields": _TEMPLATE_FIELDS}
        for _ in range(_MOST_PAGES):
            page = await self._page(waba_id, access_token, query)
            templates += (item for item in page["data"] if isinstance(item, dict))
            after = _after(page)
            if after is None:
                return templates
            query |= {"after": after}
        raise CallError(Unclear("the list of templates does not end"))

    async def create_template(
        self, *, waba_id: str, access_token: str, definition: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Make a template from Graph's own definition; Graph's answer: `id`, `status`, `category`.

        Raises `CallError`; after `Unclear` the template may have been made all the same.
        """
        response = await self._call(
            "POST",
            f"{quote(waba_id, safe='')}/message_templates",
            access_token,
            content=json.dumps(definition, separators=(",", ":"), allow_nan=False).encode("ascii"),
        )
        return _read_answer(response, access_token)

    async def read_phone_number(
        self, *, phone_number_id: str, access_token: str, fields: str
    ) -> dict[str, Any]:
        """What the Graph API tells of a business phone number; `fields` separated by commas.

        Raises `CallError`.
        """
        path = quote(phone_number_id, safe="")
        return await self._read(path, access_token, {"fields": fields})

    async def _page(
        self, waba_id: str, access_token: str, query: Mapping[str, str]
    ) -> dict[str, Any]:
        path = f"{quote(waba_id, safe='')}/message_templates"
        page = await self._read(path, access_token, query)
        if not isinstance(page.get("data"), list):
            raise CallError(Unclear("the answer is not a list of templates"))
        return page

    async def _read(self, path: str, access_token: str, query: Mapping[str, str]) -> dict[str, Any]:
        response = await self._call("GET", path, access_token, params=query)
        return _read_answer(response, access_token)

    async def _call(
        self,
        method: str,
        path: str,
        access_token: str,
        *,
        content: bytes | None = None,
        params: Mapping[str, str] | None = None,
    ) -> httpx.Response | Refused | NotSent | Unclear:
        """One request, or what its failure proves."""
        if not _TOKEN.fullmatch(access_token):
            # The HTTP library would refuse such a header with an exception that shows it.
            return _as_refused(UNAUTHENTICATED, details="the access token is empty or has spaces")
        headers = {"Authorization": f"Bearer {access_token}"}
        if content is not None:
            headers["Content-Type"] = "application/json"
        try:
            async with asyncio.timeout(self._http_timeout):
                return await self._http.request(
                    method,
                    path,
                    content=content,
                    params=params,
                    headers=headers,
                )
        except _NEVER_LEFT as error:
            return NotSent(type(error).__name__)
        except TimeoutError:
            return Unclear(f"no answer within {self._http_timeout:g} s")
        except (httpx.HTTPError, OSError) as error:
            return Unclear(type(error).__name__)


# --- reading answers ---------------------------------------------------------------------------


def _read_answer(
    response: httpx.Response | Refused | NotSent | Unclear, access_token: str
) -> dict[str, Any]:
    """The JSON object of a good answer. Raises `CallError`."""
    if not isinstance(response, httpx.Response):
        raise CallError(response)
    if not response.is_success:
        raise CallError(_refused(response, access_token))
    document = _document(response)
    if document is None:
        raise CallError(Unclear("the answer is no JSON object"))
    return document


def _document(response: httpx.Response) -> dict[str, Any] | None:
    """The body if it is a JSON object, else None (an empty body, a proxy's HTML page)."""
    try:
        document = json.loads(response.content)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _first(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The first object of a list, or an empty one."""
    items = document.get(key)
    if isinstance(items, list) and items and isinstance(items[0], dict):
        return items[0]
    return {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _whole(value: object) -> int | None:
    """A whole number, also one written as text."""
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        return int(value) if len(value) < 19 else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _sent(response: httpx.Response) -> Accepted | Unclear:
    document = _document(response) or {}
    wamid = _text(_first(document, "messages").get("id"))
    if wamid is None:
        return Unclear(f"HTTP {response.status_code} without a message id")
    contact = _first(document, "contacts")
    return Accepted(wamid, _text(contact.get("wa_id")), _text(contact.get("user_id")))


def _refused(response: httpx.Response, access_token: str) -> Refused | Unclear:
    """A Graph error, if what it says proves that nothing was sent."""
    status = response.status_code
    error = (_document(response) or {}).get("error")
    code = _whole(error.get("code")) if isinstance(error, dict) else None
    if not isinstance(error, dict) or code is None:
        return Unclear(f"HTTP {status} without a WhatsApp error")
    if not (400 <= status <= 499 or (status >= 500 and code in NOT_TAKEN_IN_5XX)):
        return Unclear(f"HTTP {status} with WhatsApp error {code}")
    return _as_refused(
        code,
        status=status,
        subcode=_whole(error.get("error_subcode")),
        details=_without_secrets(_details(error), access_token),
        retry_after=_own_pause(response.headers) if code in ACCOUNT_LIMITS else None,
    )


def _as_refused(
    code: int,
    *,
    status: int | None = None,
    subcode: int | None = None,
    details: str = "",
    retry_after: float | None = None,
) -> Refused:
    known = lookup(code, status, subcode)
    return Refused(code, known.title, details, known.remedy, retry_after, subcode)


def _details(error: Mapping[str, Any]) -> str:
    """WhatsApp's own words; `error_data` is an object, a text, or missing."""
    data = error.get("error_data")
    inner = data.get("details") if isinstance(data, dict) else data
    return _text(inner) or _text(error.get("error_user_msg")) or _text(error.get("message")) or ""


def _without_secrets(text: str, access_token: str) -> str:
    """The text without the token, which WhatsApp repeats when it calls it malformed."""
    shown = _TOKEN_LIKE.sub("•••", text.replace(access_token, "•••"))
    return shown[:_LONGEST_DETAILS]


def _own_pause(headers: httpx.Headers) -> float | None:
    """Seconds until calls are welcome again, where the answer says so.

    `x-business-use-case-usage` counts in minutes and per business object (reference section 1).
    """
    seconds = [_whole(headers.get("retry-after")) or 0]
    try:
        usage = json.loads(headers.get("x-business-use-case-usage", "{}"))
    except (ValueError, RecursionError):
        usage = {}
    for limits in usage.values() if isinstance(usage, dict) else ():
        for limit in limits if isinstance(limits, list) else ():
            if isinstance(limit, dict):
                minutes = _whole(limit.get("estimated_time_to_regain_access"))
                seconds.append(60 * (minutes or 0))
    longest = max(seconds)
    return min(float(longest), _LONGEST_PAUSE) if longest > 0 else None


def _after(page: Mapping[str, Any]) -> str | None:
    """The cursor of the next page. Not its `next` address, which carries the access token."""
    paging = page.get("paging")
    if not isinstance(paging, dict) or not paging.get("next"):
        return None
    cursors = paging.get("cursors")
    return _text(cursors.get("after")) if isinstance(cursors, dict) else None
