"""The published description of the wire is what the code says, and holds for what lanes send."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema_rs
import pytest

import gate
from gate.core.evidence import Evidence
from gate.wire.asyncapi import document
from gate.wire.messages import EVENT_DATA, EventType
from gate.wire.topics import Channel
from simulator.lane_talk import MESSAGES_PER_CROSSING, talk

DOCS = Path(gate.__file__).parents[1] / "docs"


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_asyncapi", DOCS / "make_asyncapi.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [found for value in node.values() for found in references(value)]
    return [found for value in node for found in references(value)] if isinstance(node, list) else []


def validator(schema: dict[str, Any]) -> Any:
    components = {"components": {"schemas": document()["components"]["schemas"]}}
    return jsonschema_rs.Draft202012Validator(schema | components)


def test_the_committed_document_is_what_the_wire_makes() -> None:
    committed = (DOCS / "protocols" / "asyncapi.json").read_text(encoding="utf-8")
    assert committed == generator().text(), "run: python docs/make_asyncapi.py"


def test_every_reference_leads_somewhere_and_every_channel_is_there() -> None:
    made = document()
    for reference in references(made):
        node: Any = made
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]
    assert set(made["channels"]) == {channel.value for channel in Channel} | {"case"}
    assert len(made["operations"]) == len(made["channels"])
    assert set(made["channels"]["event"]["messages"]) == {model.__name__ for model in EVENT_DATA.values()}


def test_what_lanes_send_is_as_described_and_nothing_else_is() -> None:
    messages = document()["components"]["messages"]
    said = [json.loads(payload) for _, _, payload in talk("p", ["l"], 1, 1_767_225_600_000)]
    assert len(said) == MESSAGES_PER_CROSSING
    for event in said:
        check = validator(messages[EVENT_DATA[EventType(event["type"])].__name__]["payload"])
        assert check.is_valid(event)
        assert not check.is_valid(event | {"data": event["data"] | {"more": 1}})
        assert not check.is_valid(event | {"id": "short"})
        assert not check.is_valid(event | {"type": "tongguan.unknown"})


@pytest.mark.parametrize("name", ["Command", "Receipt"])
def test_what_is_signed_says_its_type(name: str) -> None:
    message = document()["components"]["messages"][name]
    assert message["contentType"] == "application/jose"
    assert f"tongguan-{name.lower()}+jws" in message["description"]


def test_no_message_has_room_for_a_person() -> None:
    named = {key for schema in document()["components"]["schemas"].values() for key in schema.get("properties", {})}
    assert named.isdisjoint({"name", "surname", "mrz", "document_number", "birth_date", "portrait", "template"})
    assert "occupancy_id" in Evidence(port="p", lane="l", case_id="c").to_json()
