"""`/app/`: the Flow Builder, built from `builder/` into `api/static/`."""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from api.deps import AnyCaller, AppSettings
from api.schemas.app_pages import PageSettings
from domain.errors import NotFound

router = APIRouter(include_in_schema=False)

_TYPES = MappingProxyType(
    {
        "index.html": "text/html; charset=utf-8",
        "app.js": "text/javascript; charset=utf-8",
        "app.css": "text/css; charset=utf-8",
        "icon.svg": "image/svg+xml",
    }
)

# Everything comes from this server, and no text ever becomes code or markup.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    # The names never change, so browsers ask each time whether the content did.
    "Cache-Control": "no-cache",
    "Vary": "Accept-Encoding",
}


@dataclass(frozen=True, slots=True)
class _File:
    """A file as it is sent: plain, compressed, and the name of its content."""

    plain: bytes
    compressed: bytes
    etag: str


@cache
def _file(name: str) -> _File:
    plain = (files("api") / "static" / name).read_bytes()
    etag = hashlib.sha256(plain).hexdigest()[:32]
    return _File(plain, gzip.compress(plain, mtime=0), etag)


@router.get("/")
async def root() -> RedirectResponse:
    """To the Flow Builder; relative, so that it also works below a proxy's path."""
    return RedirectResponse("app/")


@router.get("/app")
async def without_slash() -> RedirectResponse:
    """To the address that the page's relative ones count from."""
    return RedirectResponse("app/")


@router.get("/app/settings.json")
async def page_settings(_caller: AnyCaller, settings: AppSettings) -> PageSettings:
    """What the pages must know of this installation; for anybody with a key."""
    namespace = f"{settings.temporal_ui_url.rstrip('/')}/namespaces/{settings.temporal_namespace}"
    return PageSettings(workflows=f"{namespace}/workflows/")


@router.get("/app/")
async def page(request: Request) -> Response:
    """The page."""
    return _answer(request, "index.html")


@router.get("/app/{name}")
async def asset(request: Request, name: str) -> Response:
    """A file of the page. Raises `NotFound` for any other."""
    if name not in _TYPES:
        raise NotFound("The Flow Builder has no such file; its address is /app/.")
    return _answer(request, name)


def _answer(request: Request, name: str) -> Response:
    file = _file(name)
    packed = "gzip" in request.headers.get("accept-encoding", "")
    # Another encoding is another representation, so it has another name.
    etag = f'"{file.etag}-gzip"' if packed else f'"{file.etag}"'
    headers = _HEADERS | {"ETag": etag}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if packed:
        headers |= {"Content-Encoding": "gzip"}
    content = file.compressed if packed else file.plain
    return Response(content, media_type=_TYPES[name], headers=headers)
