"""The AsyncAPI 3.0 document of the wire, made from :mod:`gate.wire.topics` and :mod:`gate.wire.messages`: there is no other description.

https://www.asyncapi.com/docs/reference/specification/v3.0.0
"""

from typing import Any

from pydantic import BaseModel

from gate.wire import messages as wire
from gate.wire.signing import COMMAND_TYPE, RECEIPT_TYPE
from gate.wire.topics import PREFIX, Channel

VERSION = "1.0.0"
_RETAINED = frozenset({Channel.STATUS, Channel.STATE, Channel.HELP})
_QOS = {channel: 0 if channel is Channel.STATE else 1 for channel in Channel}
_SAID_BY_LANES = frozenset({Channel.STATUS, Channel.STATE, Channel.EVENT, Channel.ACK})
_SUMMARY = {
    Channel.STATUS: "Whether a lane is there; its last will says that it is not.",
    Channel.STATE: "What a lane does now.",
    Channel.EVENT: "What happened at a lane, out of its outbox until it is receipted.",
    Channel.RECEIPT: "Which events are committed, and which are refused.",
    Channel.COMMAND: "What a lane is asked to do, once and within its time.",
    Channel.ACK: "What became of a command.",
    Channel.HELP: "That somebody at a kiosk calls an officer; empty when nobody does.",
}
_PLAIN: dict[Channel, type[BaseModel]] = {
    Channel.STATUS: wire.LaneStatus,
    Channel.STATE: wire.LaneState,
    Channel.ACK: wire.Ack,
    Channel.HELP: wire.HelpAsked,
}
_SIGNED: dict[Channel, tuple[type[BaseModel], str]] = {
    Channel.RECEIPT: (wire.Receipt, RECEIPT_TYPE),
    Channel.COMMAND: (wire.Command, COMMAND_TYPE),
}
_SEGMENT = {"description": "Lower-case letters, digits and hyphens, at most 63, and not the word case."}


def document() -> dict[str, Any]:
    """The whole document, as JSON types."""
    schemas: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for channel in Channel:
        names = _add_messages(channel, messages, schemas)
        channels[channel.value] = _channel(f"{PREFIX}/{{port}}/{{lane}}/{channel.value}", ("port", "lane"), names)
        channels[channel.value]["summary"] = _SUMMARY[channel]
        side = "lane" if channel in _SAID_BY_LANES else "console" if channel is Channel.HELP else "hub"
        operations[f"{side}.{channel.value}"] = _operation(channel.value, _QOS[channel], channel in _RETAINED)
    messages["CaseChanged"] = _message("CaseChanged", _schema(wire.CaseChanged, schemas), wire.CaseChanged)
    channels["case"] = _channel(f"{PREFIX}/{{port}}/case/{{case_id}}", ("port", "case_id"), ["CaseChanged"])
    channels["case"]["summary"] = "That a case changed: who may see it asks the hub for it."
    operations["hub.case"] = _operation("case", 0, False)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tongguan",
            "version": VERSION,
            "description": "MQTT between lanes, hub and screens of a port. Explained in mqtt.md beside this file.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "port": {
                "host": "{broker}:8883",
                "protocol": "mqtts",
                "description": "MQTT 3.1.1 or 5. The client certificate's common name is the user: a lane's id, or hub@{port}.",
                "variables": {"broker": {"default": "localhost", "description": "The port's broker."}},
                "security": [{"$ref": "#/components/securitySchemes/certificate"}],
            }
        },
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": dict(sorted(messages.items())),
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {"certificate": {"type": "X509"}},
        },
    }


def _add_messages(channel: Channel, messages: dict[str, Any], schemas: dict[str, Any]) -> list[str]:
    if channel in _PLAIN:
        model = _PLAIN[channel]
        messages[model.__name__] = _message(model.__name__, _schema(model, schemas), model)
        return [model.__name__]
    if channel in _SIGNED:
        model, kind = _SIGNED[channel]
        claims = _schema(model, schemas)
        messages[model.__name__] = _message(model.__name__, {"type": "string", "format": "jws"}, model) | {
            "contentType": "application/jose",
            "description": f"A compact JWS (RFC 7515), Ed25519, of type {kind}, whose payload is x-claims.",
            "x-claims": claims,
        }
        return [model.__name__]
    envelope = _schema(wire.CloudEvent, schemas)
    for event_type, model in wire.EVENT_DATA.items():
        payload = {
            "allOf": [envelope],
            "properties": {"type": {"const": event_type.value}, "data": _schema(model, schemas)},
        }
        messages[model.__name__] = _message(event_type.value, payload, model) | {
            "contentType": "application/cloudevents+json"
        }
    return [model.__name__ for model in wire.EVENT_DATA.values()]


def _schema(model: type[BaseModel], schemas: dict[str, Any]) -> dict[str, str]:
    """A reference to the model's schema, which is added with those it uses."""
    made = model.model_json_schema(ref_template="#/components/schemas/{model}", mode="validation")
    schemas.update(made.pop("$defs", {}))
    schemas[model.__name__] = made
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _message(name: str, payload: dict[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    summary = (model.__doc__ or "").partition("\n")[0].strip()
    return {"name": name, "payload": payload} | ({"summary": summary} if summary else {})


def _channel(address: str, parameters: tuple[str, ...], names: list[str]) -> dict[str, Any]:
    described = {"case_id": {"description": "1 to 64 of A-Z a-z 0-9 _ . -"}}
    return {
        "address": address,
        "parameters": {name: described.get(name, _SEGMENT) for name in parameters},
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
    }


def _operation(channel: str, qos: int, is_retained: bool) -> dict[str, Any]:
    """From the side of who publishes."""
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{channel}"},
        "bindings": {"mqtt": {"qos": qos, "retain": is_retained, "bindingVersion": "0.2.0"}},
    }
