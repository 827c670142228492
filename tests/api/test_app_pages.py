"""`/app/`: the Flow Builder's files, their policy, and what they may ask without a key."""

import gzip
import re

import httpx
import pytest

from builder.stamp import BUNDLE


@pytest.mark.parametrize("address", ["/", "/app"])
async def test_short_addresses_lead_to_the_page(api: httpx.AsyncClient, address: str):
    """The server's own address and the one without a slash are sent on."""
    answer = await api.get(address)
    assert answer.is_redirect
    assert answer.next_request
    assert answer.next_request.url.path == "/app/"


async def test_the_page_and_what_it_names_are_served(api: httpx.AsyncClient):
    """Everything that the page refers to is there, without a key and with its own type."""
    del api.headers["X-API-Key"]
    page = await api.get("/app/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    names = re.findall(r'(?:src|href)="\./([^"]+)"', page.text)
    assert sorted(names) == ["app.css", "app.js", "icon.svg"]
    types = {}
    for name in names:
        answer = await api.get(f"/app/{name}")
        assert answer.status_code == 200
        types[name] = answer.headers["content-type"].partition(";")[0]
    assert types == {
        "app.css": "text/css",
        "app.js": "text/javascript",
        "icon.svg": "image/svg+xml",
    }


async def test_the_page_may_run_nothing_but_its_own_files(api: httpx.AsyncClient):
    """The policy allows no other host, no inline script or style, no frame around the page."""
    page = await api.get("/app/")
    rules = dict(
        rule.strip().partition(" ")[::2]
        for rule in page.headers["content-security-policy"].split(";")
    )
    assert rules["default-src"] == "'none'"
    assert {rules[name] for name in ("script-src", "style-src", "connect-src")} == {"'self'"}
    assert rules["frame-ancestors"] == rules["form-action"] == rules["base-uri"] == "'none'"
    assert rules["trusted-types"] == "'none'"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "<script>" not in page.text
    assert "style=" not in page.text


async def test_a_browser_asks_each_time_and_gets_only_what_changed(api: httpx.AsyncClient):
    """`no-cache` with an ETag: the same content is answered with 304 and no body."""
    first = await api.get("/app/app.js")
    assert first.headers["cache-control"] == "no-cache"
    again = await api.get("/app/app.js", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    other = await api.get("/app/app.js", headers={"If-None-Match": '"another"'})
    assert other.status_code == 200


async def test_files_are_compressed_for_those_who_can_read_it(api: httpx.AsyncClient):
    """gzip is another representation with another ETag; the content is the same."""
    plain = await api.get("/app/app.js", headers={"Accept-Encoding": "identity"})
    async with api.stream("GET", "/app/app.js", headers={"Accept-Encoding": "gzip"}) as packed:
        raw = b"".join([chunk async for chunk in packed.aiter_raw()])
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["etag"] != plain.headers["etag"]
    assert plain.headers["vary"] == packed.headers["vary"] == "Accept-Encoding"
    assert gzip.decompress(raw) == plain.content == (BUNDLE / "app.js").read_bytes()


@pytest.mark.parametrize("name", ["BUILD", "nothing.js", "..%2Fapp.py", "%2e%2e%2fapp.py"])
async def test_nothing_else_is_served(api: httpx.AsyncClient, name: str):
    """Only the page's own files have an address."""
    answer = await api.get(f"/app/{name}")
    assert (answer.status_code, answer.json()["code"]) == (404, "ERROR_CODE_NOT_FOUND")


async def test_the_address_of_runs_needs_a_key(api: httpx.AsyncClient):
    """Where the Temporal Web UI is, is told to callers with a good key."""
    answer = await api.get("/app/settings.json")
    assert answer.json() == {"workflows": "http://127.0.0.1:8233/namespaces/default/workflows/"}
    del api.headers["X-API-Key"]
    assert (await api.get("/app/settings.json")).status_code == 401
