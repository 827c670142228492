"""`/docs`: the API's description as a page, from this server alone."""

from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

from fastapi import APIRouter
from fastapi.responses import FileResponse, HTMLResponse, Response

from domain.errors import NotFound

router = APIRouter(include_in_schema=False)

# Of this package only its copy of Swagger UI is used.
_STATIC = Path(str(files("fastapi_offline"))) / "static"
_FILES = MappingProxyType(
    {
        "swagger-ui-bundle.js": "text/javascript",
        "swagger-ui.css": "text/css",
        "favicon.png": "image/png",
    }
)

# Nothing from other hosts; Swagger UI sets styles of its own and draws icons from data URLs.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

# Relative addresses, so that the page also works below a proxy's path.
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sendout API</title>
<link rel="icon" href="docs/assets/favicon.png">
<link rel="stylesheet" href="docs/assets/swagger-ui.css">
</head>
<body>
<div id="api"></div>
<noscript>The description itself is at <a href="openapi.json">openapi.json</a>.</noscript>
<script src="docs/assets/swagger-ui-bundle.js"></script>
<script src="docs/assets/show.js"></script>
</body>
</html>
"""
_SHOW = """SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#api",
  deepLinking: true,
  persistAuthorization: true,
  validatorUrl: null,
});
"""


@router.get("/docs")
async def page() -> HTMLResponse:
    """Swagger UI on `/openapi.json`."""
    return HTMLResponse(_PAGE, headers=_HEADERS)


@router.get("/docs/assets/{name}")
async def asset(name: str) -> Response:
    """A file of the page. Raises `NotFound` for any other."""
    if name == "show.js":
        return Response(_SHOW, media_type="text/javascript", headers=_HEADERS)
    if name not in _FILES:
        raise NotFound("The page has no such file.")
    return FileResponse(_STATIC / name, media_type=_FILES[name], headers=_HEADERS)
