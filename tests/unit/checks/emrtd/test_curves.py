"""The table of curves against the openssl command's own values, and what passes for one of them."""

import re
import subprocess

import pytest

from gate.checks.emrtd.curves import CURVES, Curve, curve_named, curve_numbered, curve_of_values

_OPENSSL = {
    "P-192": "prime192v1",
    "P-224": "secp224r1",
    "P-256": "prime256v1",
    "P-384": "secp384r1",
    "P-521": "secp521r1",
}


def _generator(curve: Curve) -> bytes:
    return b"\x04" + curve.x.to_bytes(curve.field_octets, "big") + curve.y.to_bytes(curve.field_octets, "big")


@pytest.mark.parametrize("name", CURVES)
def test_values_are_those_of_openssl(name: str) -> None:
    command = ["openssl", "ecparam", "-name", _OPENSSL.get(name, name), "-param_enc", "explicit", "-text", "-noout"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def value(label: str) -> int:
        found = re.search(rf"{label}[^\n]*\n((?:    [ 0-9a-f:]+\n)+)", text)
        assert found is not None
        return int(re.sub(r"[^0-9a-f]", "", found[1]), 16)

    curve = CURVES[name]
    ours = (curve.p, curve.a, curve.b, int.from_bytes(_generator(curve), "big"), curve.n)
    assert ours == tuple(value(label) for label in ("Prime", "A:", "B:", "Generator", "Order"))
    assert "Cofactor:  1 " in text


def test_each_is_found_by_its_identifier_number_and_values() -> None:
    assert sorted(curve.parameter_id for curve in CURVES.values()) == list(range(8, 19))
    for curve in CURVES.values():
        assert curve_named(curve.oid) is curve
        assert curve_numbered(curve.parameter_id) is curve
        compressed = bytes([2 + curve.y % 2]) + _generator(curve)[1 : 1 + curve.field_octets]
        for base in (_generator(curve), compressed):
            for cofactor in (1, None):
                assert _find(curve, base=base, cofactor=cofactor) is curve


def test_a_curve_with_any_other_value_is_none_of_ours() -> None:
    curve = CURVES["P-256"]
    double = bytes.fromhex(  # 2G: a generator as good as any to whoever wants to forge
        "047CF27B188D034F7E8A52380304B51AC3C08969E277F21B35A60B48FC4766997807775510DB8ED040293D9AC69F7430DBBA7DADE63CE982299E04B79D227873D1"
    )
    assert _find(curve, base=double) is None
    assert _find(curve, base=b"") is None
    assert _find(curve, cofactor=2) is None
    for name in ("p", "a", "b", "n"):
        assert _find(curve, **{name: getattr(curve, name) + 1}) is None
    assert curve_named("1.3.132.0.10") is None
    assert curve_numbered(19) is None


def _find(curve: Curve, **other: object) -> Curve | None:
    values = {"p": curve.p, "a": curve.a, "b": curve.b, "base": _generator(curve), "n": curve.n, "cofactor": 1}
    return curve_of_values(**(values | other))  # type: ignore[arg-type]
