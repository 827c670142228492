"""`/openapi.json` and `/docs`: complete, documented as Connectly's, and from this server alone."""

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from jsonschema import Draft202012Validator

from tests.api.calls import CAMPAIGNS
from tests.api.described import description, operations
from tests.record import greeting

FLOWS = Path(__file__).parents[2] / "examples" / "flows"
DOCUMENT = description()
DOCUMENTED = json.loads(Path(__file__).with_name("connectly-campaigns.openapi.json").read_text())
SEND = "/v1/businesses/{businessId}/send/campaigns"
FLAT = {"400", "401", "404", "409", "500"}
EVERY = [pytest.param(*o, id=o[2]["operationId"]) for o in operations(DOCUMENT)]


def resolved(node: Any, document: dict[str, Any]) -> dict[str, Any]:
    """The schema with its reference followed; of one that may be null, what else it may be."""
    while True:
        if "$ref" in node:
            node = document["components"]["schemas"][node["$ref"].rpartition("/")[2]]
        elif "anyOf" in node:
            (node,) = [part for part in node["anyOf"] if part.get("type") != "null"]
        else:
            return dict(node)


def lacks(theirs: Any, ours: Any, where: str = "") -> list[str]:
    """What the documented schema says and ours does not."""
    theirs, ours = resolved(theirs, DOCUMENTED), resolved(ours, DOCUMENT)
    found = []
    if theirs.get("type") not in (None, ours.get("type")):
        found.append(f"{where}: {theirs['type']}, not {ours.get('type')}")
    if theirs.get("format", "int64") not in ("int64", ours.get("format")):
        found.append(f"{where}: format {theirs['format']}")
    found += [f"{where}: {v}" for v in set(theirs.get("enum", ())) - set(ours.get("enum", ()))]
    found += [
        f"{where}: {n} is required" for n in theirs.get("required", ()) if n not in ours["required"]
    ]
    for name, schema in theirs.get("properties", {}).items():
        if name not in ours.get("properties", {}):
            found.append(f"{where}: no {name}")
        else:
            found += lacks(schema, ours["properties"][name], f"{where}.{name}")
    if "items" in theirs:
        found += lacks(theirs["items"], ours.get("items", {}), f"{where}[]")
    return found


def content(part: dict[str, Any]) -> Any:
    return part["content"]["application/json"]["schema"]


def test_the_send_request_has_all_that_is_documented():
    theirs, ours = (document["paths"][SEND]["post"] for document in (DOCUMENTED, DOCUMENT))

    assert lacks(content(theirs["requestBody"]), content(ours["requestBody"])) == []
    assert ours["requestBody"]["required"] is theirs["requestBody"]["required"]
    assert ours["operationId"] == theirs["operationId"]


def test_the_send_answers_have_all_that_is_documented():
    theirs, ours = (
        document["paths"][SEND]["post"]["responses"] for document in (DOCUMENTED, DOCUMENT)
    )

    assert theirs.keys() <= ours.keys()
    for status in ("200", "default"):
        assert lacks(content(theirs[status]), content(ours[status])) == []


def test_the_comparison_finds_what_is_missing():
    theirs = {"type": "object", "required": ["a"], "properties": {"a": {"enum": ["x"]}, "b": {}}}
    ours = {"type": "object", "required": [], "properties": {"a": {"enum": ["y"]}}}

    assert lacks(theirs, ours) == [": a is required", ".a: x", ": no b"]


def test_the_key_is_described_as_documented():
    (theirs, ours) = (
        document["components"]["securitySchemes"]["ApiKeyAuth"]
        for document in (DOCUMENTED, DOCUMENT)
    )
    assert {k: ours[k] for k in ("type", "name", "in")} == {
        k: theirs[k] for k in ("type", "name", "in")
    }


def test_operations_have_names_of_their_own():
    names = Counter(operation["operationId"] for _, _, operation in operations(DOCUMENT))

    assert [name for name, times in names.items() if times > 1] == []


@pytest.mark.parametrize(("method", "path", "operation"), EVERY)
def test_an_operation_says_what_it_does_and_who_may_call_it(
    method: str, path: str, operation: dict[str, Any]
):
    assert operation["description"]
    assert set(operation["tags"]) <= {tag["name"] for tag in DOCUMENT["tags"]}
    needs_key = path.startswith(("/v1/businesses/", "/v1/me"))
    assert operation.get("security", []) == ([{"ApiKeyAuth": []}] if needs_key else [])
    if method in {"put", "patch"}:
        assert "requestBody" in operation


@pytest.mark.parametrize(("method", "path", "operation"), EVERY)
def test_every_error_is_described_in_its_shape(method: str, path: str, operation: dict[str, Any]):
    responses = operation["responses"]
    assert "500" in responses
    assert operation["tags"] == ["operations"] or "503" in responses
    for status, response in responses.items():
        if status[0] == "2" or (status == "503" and operation["tags"] == ["operations"]):
            continue
        schema = resolved(content(response), DOCUMENT)
        assert ("cntTraceId" if status in FLAT else "details") in schema["properties"]


@pytest.mark.parametrize(("method", "path", "operation"), EVERY)
def test_every_body_has_an_example_that_fits_it(method: str, path: str, operation: dict[str, Any]):
    if "requestBody" not in operation:
        return
    offered = operation["requestBody"]["content"]
    body = offered["application/json" if "application/json" in offered else "text/csv"]
    assert body["examples"]
    schema = body["schema"] | {"components": DOCUMENT["components"]}
    for example in body["examples"].values():
        Draft202012Validator(schema).validate(example["value"])


FLOW = {"$ref": "#/components/schemas/Flow"}
FLOW_SCHEMA = FLOW | {"components": DOCUMENT["components"]}


def test_bodies_that_hold_a_flow_refer_to_its_schema():
    flows = {}
    for _, _, operation in operations(DOCUMENT):
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        fields = body.get("schema", {}).get("properties", {})
        if "flow" in fields:
            flows[operation["operationId"]] = fields["flow"]

    maybe = {"anyOf": [FLOW, {"type": "null"}], "default": None}
    assert flows == {"createCampaign": maybe, "saveDraft": FLOW, "simulateFlow": maybe}


@pytest.mark.parametrize("path", sorted(FLOWS.glob("*.json")), ids=lambda path: path.stem)
def test_a_flow_on_disk_is_an_example_and_fits_the_schema(path: Path):
    flow = json.loads(path.read_bytes())

    assert flow in DOCUMENT["components"]["schemas"]["Flow"]["examples"]
    Draft202012Validator(FLOW_SCHEMA).validate(flow)
    created = DOCUMENT["paths"]["/v1/businesses/{businessId}/campaigns"]["post"]["requestBody"]
    assert flow in [
        e["value"]["flow"] for e in created["content"]["application/json"]["examples"].values()
    ]


def _bare_header(flow: dict[str, Any]) -> None:
    flow["nodes"]["hello"]["message"]["header"] = "Spring"


def _unknown_field(flow: dict[str, Any]) -> None:
    flow["nodes"]["hello"]["message"]["colour"] = "red"


def _unknown_node(flow: dict[str, Any]) -> None:
    flow["nodes"]["hello"]["type"] = "poem"


def _newer_format(flow: dict[str, Any]) -> None:
    flow["format"] = 2


def _lasting_delay(flow: dict[str, Any]) -> None:
    flow["nodes"]["wait"] = {"type": "delay", "condition": "all", "duration": "PT20H"}


def _endless_delay(flow: dict[str, Any]) -> None:
    flow["nodes"]["wait"] = {"type": "delay", "condition": "all"}


@pytest.mark.parametrize(
    "change",
    [_bare_header, _unknown_field, _unknown_node, _newer_format, _lasting_delay, _endless_delay],
)
async def test_the_schema_of_flows_takes_what_the_api_takes(api, change: Callable[[Any], None]):
    flow = greeting()
    change(flow)

    fits = Draft202012Validator(FLOW_SCHEMA).is_valid(flow)

    answer = await api.post(CAMPAIGNS, json={"name": "spring", "flow": flow})
    assert answer.status_code == (201 if fits else 400)
    assert fits is (change in {_bare_header, _lasting_delay})


async def test_example_flows_can_be_published_and_simulated(api):
    def examples(method: str, path: str) -> list[Any]:
        body = DOCUMENT["paths"]["/v1/businesses/{businessId}" + path][method]["requestBody"]
        return [e["value"] for e in body["content"]["application/json"]["examples"].values()]

    addresses = []
    for new in examples("post", "/campaigns"):
        created = await api.post(CAMPAIGNS, json=new)
        addresses.append(f"{CAMPAIGNS}/{created.json()['entity']['campaignId']}")
        assert (await api.post(f"{addresses[-1]}/publish", json={})).status_code == 200
    address = addresses[0]
    for order in examples("post", "/campaigns/{campaignId}/publish"):
        assert (await api.post(f"{address}/publish", json=order)).status_code == 200
    for order in examples("post", "/campaigns/{campaignId}/simulate"):
        assert (await api.post(f"{address}/simulate", json=order)).status_code == 200


async def test_the_document_is_served(api):
    answer = await api.get("/openapi.json")

    assert answer.json() == DOCUMENT


async def test_the_docs_page_and_all_it_names_come_from_this_server(api):
    page = await api.get("/docs", headers={"X-API-Key": ""})
    named = re.findall(r'(?:src|href)="([^"]*)"', page.text)

    assert page.status_code == 200
    assert len(named) == 5
    assert "//" not in page.text.replace("<!doctype", "")
    for name in named:
        asset = await api.get(urljoin("/docs", name))
        assert asset.status_code == 200, name
        assert asset.content
        if name.endswith("css"):
            assert re.findall(r"url\((?!['\"]?data:)", asset.text) == []
            assert "@import" not in asset.text
    script = await api.get("/docs/assets/show.js")
    assert "//" not in script.text


async def test_the_docs_page_may_ask_no_other_host(api):
    for path in ("/docs", "/docs/assets/show.js", "/docs/assets/swagger-ui-bundle.js"):
        policy = (await api.get(path)).headers["content-security-policy"]
        assert policy.startswith("default-src 'none';")
        assert "http" not in policy
        assert "*" not in policy


async def test_the_docs_page_has_no_other_files(api):
    for name in ("redoc.standalone.js", "..%2f__init__.py", "core.py"):
        assert (await api.get(f"/docs/assets/{name}")).status_code == 404
