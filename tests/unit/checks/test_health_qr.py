"""Health declarations: who is believed, for which document and when."""

import base64
import json
from dataclasses import replace

import pytest
from joserfc import jws
from joserfc.jwk import OKPKey

from gate.checks.health_qr import (
    HealthDeclaration,
    HealthReason,
    HealthRefusal,
    document_name,
    issue_health,
    verify_health,
)

KEY = OKPKey.generate_key("Ed25519")
STRANGER = OKPKey.generate_key("Ed25519")
KEYS = {KEY.thumbprint(): KEY}
NOW_S = 1_767_225_600.0
DOCUMENT = document_name("UTO", "L898902C<")
DECLARATION = HealthDeclaration(
    declaration_id="d-1",
    issuer="Health authority of Utopia",
    issued_s=NOW_S - 3600,
    expires_s=NOW_S + 86_400,
    document=DOCUMENT,
    has_fever=False,
    symptoms=(),
    had_contact=False,
    visited=("UTO", "D"),
)


def verdict(text: str, *, document: str = DOCUMENT, now_s: float = NOW_S) -> HealthDeclaration | HealthReason:
    found = verify_health(text, KEYS, document=document, now_s=now_s)
    return found.reason if isinstance(found, HealthRefusal) else found


def test_signed_declaration_is_believed() -> None:
    assert DOCUMENT == "UTO:L898902C"
    assert verdict(issue_health(DECLARATION, KEY)) == DECLARATION
    assert DECLARATION.is_clear


@pytest.mark.parametrize("change", [{"has_fever": True}, {"symptoms": ("cough",)}, {"had_contact": True}])
def test_anything_declared_is_not_clear(change: dict[str, object]) -> None:
    declared = replace(DECLARATION, **change)
    assert verdict(issue_health(declared, KEY)) == declared
    assert not declared.is_clear


def test_stranger_is_not_believed() -> None:
    assert verdict(issue_health(DECLARATION, STRANGER)) is HealthReason.UNKNOWN_KEY


def test_stranger_under_a_known_name_is_not_believed() -> None:
    text = issue_health(DECLARATION, KEY)
    body = issue_health(replace(DECLARATION, visited=()), KEY).split(".")[1]
    head, _, signature = text.split(".")
    assert verdict(f"{head}.{body}.{signature}") is HealthReason.BAD_SIGNATURE


def test_unsigned_token_is_not_believed() -> None:
    head = {"alg": "none", "kid": KEY.thumbprint(), "typ": "tongguan-health+jws"}
    token = base64.urlsafe_b64encode(json.dumps(head).encode()).rstrip(b"=").decode() + ".e30."
    assert verdict("TGH1:" + token) is HealthReason.MALFORMED


def test_token_of_another_kind_is_not_believed() -> None:
    registry = jws.JWSRegistry(algorithms=["Ed25519"], strict_check_header=False)
    head = {"alg": "Ed25519", "kid": KEY.thumbprint(), "typ": "tongguan-receipt+jws"}
    assert verdict("TGH1:" + jws.serialize_compact(head, b"{}", KEY, registry=registry)) is HealthReason.MALFORMED


def test_declaration_of_somebody_else_is_worth_nothing() -> None:
    text = issue_health(DECLARATION, KEY)
    assert verdict(text, document=document_name("UTO", "X1")) is HealthReason.OTHER_DOCUMENT


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"expires_s": NOW_S}, HealthReason.EXPIRED),
        ({"issued_s": NOW_S + 400}, HealthReason.NOT_YET_VALID),
        ({"expires_s": NOW_S + 15 * 86_400}, HealthReason.MALFORMED),
        ({"expires_s": NOW_S - 7200}, HealthReason.MALFORMED),
        ({"visited": ("Utopia",)}, HealthReason.MALFORMED),
        ({"document": "nobody"}, HealthReason.MALFORMED),
    ],
)
def test_times_and_fields_must_be_in_order(change: dict[str, object], reason: HealthReason) -> None:
    assert verdict(issue_health(replace(DECLARATION, **change), KEY)) is reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", HealthReason.NOT_HEALTH),
        ("M1DESMARAIS/LUC", HealthReason.NOT_HEALTH),
        ("TGH1:" + "a" * 4000, HealthReason.NOT_HEALTH),
        ("TGH1:", HealthReason.MALFORMED),
        ("TGH1:a.b", HealthReason.MALFORMED),
        ("TGH1:é.b.c", HealthReason.MALFORMED),
        ("TGH1:W10.W10.W10", HealthReason.MALFORMED),
    ],
)
def test_what_is_no_declaration_is_refused(text: str, reason: HealthReason) -> None:
    assert verdict(text) is reason
