"""`GET /`: a page with a phone per customer, in `static/` (api.md section 8). It needs no build."""

from importlib.resources import files
from types import MappingProxyType

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.exceptions import HTTPException

router = APIRouter()

_TYPES = MappingProxyType(
    {
        "index.html": "text/html; charset=utf-8",
        "page.css": "text/css; charset=utf-8",
        "bubble.css": "text/css; charset=utf-8",
        "page.js": "text/javascript; charset=utf-8",
        "bubble.js": "text/javascript; charset=utf-8",
        "icon.svg": "image/svg+xml",
    }
)
# Texts come from businesses and customers: none may become code or markup, nothing is fetched.
_HEADERS = MappingProxyType(
    {
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
            "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
            "require-trusted-types-for 'script'; trusted-types 'none'"
        ),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-cache",
    }
)


@router.get("/")
async def phones() -> Response:
    """The page."""
    return _file("index.html")


@router.get("/page/{name}")
async def asset(name: str) -> Response:
    """A file of the page."""
    if name not in _TYPES:
        raise HTTPException(404)
    return _file(name)


def _file(name: str) -> Response:
    content = (files(__package__) / "static" / name).read_bytes()
    return Response(content, media_type=_TYPES[name], headers=dict(_HEADERS))
