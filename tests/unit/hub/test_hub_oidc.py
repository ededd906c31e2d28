"""Signing in at an identity provider: what a small issuer in this process says, and what others would like to be believed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import httpx
import pytest
from api_kit import Api
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from hub_kit import make_hub, make_site
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey

from config.errors import ConfigError
from gate.core.clock import ManualClock
from gate.hub.errors import HubError
from gate.hub.oidc import WAIT_MS, IdentityProvider

ISSUER = "https://id.example"
SETTINGS = {"issuer": ISSUER, "client_id": "tongguan", "roles": {"gacc-officer": "customs", "chief": "supervisor"}}
CALLBACK = "http://127.0.0.1:8080/api/v1/oidc/callback"


class Issuer:
    """An identity provider that answers what its fields say, and checks what it is asked."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.key = ECKey.generate_key("P-256", {"kid": "k1", "use": "sig"})
        self.codes: dict[str, dict[str, str]] = {}
        self.changes: dict[str, Any] = {}
        self.sign: Callable[[dict[str, Any]], str] = lambda claims: jwt.encode(
            {"alg": "ES256", "kid": "k1"}, claims, self.key
        )
        self.is_down = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.is_down:
            raise httpx.ConnectError("nobody there")
        match request.url.path:
            case "/.well-known/openid-configuration":
                names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
                return httpx.Response(200, json={"issuer": ISSUER} | {k: f"{ISSUER}/{v}" for k, v in names.items()})
            case "/keys":
                return httpx.Response(200, json=KeySet([self.key]).as_dict(private=False))
            case "/token":
                return self._token({key: value[0] for key, value in parse_qs(request.content.decode()).items()})
        return httpx.Response(404)

    def approve(self, address: str) -> str:
        """The officer signs in: the code that the browser takes back."""
        asked = {key: value[0] for key, value in parse_qs(urlparse(address).query).items()}
        assert address.startswith(f"{ISSUER}/authorize?")
        assert (asked["response_type"], asked["redirect_uri"], asked["client_id"]) == ("code", CALLBACK, "tongguan")
        assert (asked["scope"], asked["code_challenge_method"]) == ("openid profile", "S256")
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return code

    def _token(self, form: dict[str, str]) -> httpx.Response:
        asked = self.codes.pop(form["code"], None)
        if asked is None or create_s256_code_challenge(form["code_verifier"]) != asked["code_challenge"]:
            return httpx.Response(400, json={"error": "invalid_grant"})
        now_s = self.clock.utc_ms() // 1000
        claims = {
            "iss": ISSUER,
            "sub": "4711",
            "aud": "tongguan",
            "iat": now_s,
            "exp": now_s + 300,
            "nonce": asked["nonce"],
            "name": "Ann Li",
            "roles": ["gacc-officer", "cook"],
        } | self.changes
        return httpx.Response(200, json={"id_token": self.sign(claims), "token_type": "Bearer"})


class Port:
    """A hub with that provider, and a browser."""

    def __init__(self, folder: Path, clock: ManualClock, **settings: Any) -> None:
        self.issuer = Issuer(clock)
        site = make_site(folder, hub={"oidc": SETTINGS | settings})
        hub = make_hub(site, clock)
        hub.store.migrate()
        assert site.hub.oidc is not None
        hub.identity = IdentityProvider(
            site.hub.oidc, port="p", callback_url=CALLBACK, clock=clock, transport=httpx.MockTransport(self.issuer)
        )
        self.hub = hub
        self.api = Api(hub)

    def begin(self, target: str = "/role/customs") -> str:
        answer = self.api.http.get(f"/api/v1/oidc/login?next={target}")
        assert answer.status_code == 302
        return str(answer.headers["location"])

    def come_back(self, address: str, **changes: str) -> Any:
        asked = parse_qs(urlparse(address).query)
        query = {"code": self.issuer.approve(address), "state": asked["state"][0]} | changes
        return self.api.http.request("GET", "/api/v1/oidc/callback", params=query)

    def close(self) -> None:
        self.api.http.close()
        self.hub.stop()


@pytest.fixture
def port(tmp_path: Path, clock: ManualClock) -> Any:
    (tmp_path / "one").mkdir()
    made = Port(tmp_path / "one", clock)
    yield made
    made.close()


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


def test_an_officer_signs_in_at_their_agency_and_has_its_roles(port: Port) -> None:
    answer = port.come_back(port.begin())
    assert (answer.status_code, answer.headers["location"]) == (302, "/role/customs")
    me = port.api.http.get("/api/v1/me").json()
    assert (me["name"], me["roles"]) == ("Ann Li", ["customs"])
    assert me["user"].startswith("oidc.")
    assert port.api.http.get("/api/v1/cases").status_code == 200
    assert port.api.http.post("/api/v1/login", json={"user": me["user"], "password": ""}).status_code == 401
    port.issuer.changes = {"roles": ["chief"]}
    port.come_back(port.begin())
    assert port.api.http.get("/api/v1/me").json()["roles"] == ["supervisor"]


FORGERIES: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://evil.example"},
    "made for somebody else": {"aud": "other"},
    "made for several": {"aud": ["tongguan", "other"]},
    "of another sign-in": {"nonce": "x"},
    "over": {"exp": 1},
    "of nobody": {"sub": None},
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_token_that_is_not_of_this_sign_in_is_not_believed(port: Port, name: str) -> None:
    port.issuer.changes = FORGERIES[name]
    assert code_of(port.come_back(port.begin())) == (403, "not_believed")
    assert port.api.http.get("/api/v1/me").status_code == 401


def test_only_the_providers_own_key_is_believed(port: Port) -> None:
    other = ECKey.generate_key("P-256", {"kid": "k1"})
    secret = OctKey.import_key("tongguan" * 8)
    for sign in (
        lambda claims: jwt.encode({"alg": "ES256", "kid": "k1"}, claims, other),
        lambda claims: jwt.encode({"alg": "HS256", "kid": "k1"}, claims, secret),
        lambda claims: "eyJhbGciOiJub25lIn0." + jwt.encode({"alg": "ES256"}, claims, other).split(".")[1] + ".",
        lambda claims: "junk",
    ):
        port.issuer.sign = sign
        assert code_of(port.come_back(port.begin())) == (403, "not_believed")


def test_a_way_back_serves_once_in_the_browser_that_began_it_and_in_time(port: Port, clock: ManualClock) -> None:
    address = port.begin()
    state = parse_qs(urlparse(address).query)["state"][0]
    assert code_of(port.come_back(address, state="x")) == (400, "unknown_sign_in")
    assert port.come_back(address).status_code == 302
    assert code_of(port.come_back(address)) == (400, "unknown_sign_in")
    late = port.begin()
    clock.advance_ms(WAIT_MS + 1)
    assert code_of(port.come_back(late)) == (400, "unknown_sign_in")
    denied = port.begin()
    state = parse_qs(urlparse(denied).query)["state"][0]
    answer = port.api.http.request("GET", "/api/v1/oidc/callback", params={"state": state, "error": "access_denied"})
    assert code_of(answer) == (403, "denied")


def test_a_code_that_somebody_else_got_is_worth_nothing(port: Port) -> None:
    stolen = port.issuer.approve(port.begin())
    assert code_of(port.come_back(port.begin(), code=stolen)) == (503, "provider_silent")


def test_who_has_no_role_or_another_port_does_not_come_in(port: Port, tmp_path: Path, clock: ManualClock) -> None:
    port.issuer.changes = {"roles": ["cook"]}
    assert code_of(port.come_back(port.begin())) == (403, "wrong_role")
    (tmp_path / "two").mkdir()
    elsewhere = Port(tmp_path / "two", clock, ports_claim="ports")
    elsewhere.issuer.changes = {"ports": ["q"]}
    assert code_of(elsewhere.come_back(elsewhere.begin())) == (403, "other_port")
    elsewhere.issuer.changes = {"ports": ["q", "p"]}
    assert elsewhere.come_back(elsewhere.begin()).status_code == 302
    elsewhere.close()


def test_nobody_is_led_elsewhere(port: Port) -> None:
    for target in ("//evil.example", "https://evil.example", "/\\evil.example"):
        assert port.api.http.request("GET", "/api/v1/oidc/login", params={"next": target}).status_code == 422


def test_a_provider_that_is_silent_is_said_to_be_so(port: Port, api: Api) -> None:
    port.issuer.is_down = True
    assert code_of(port.api.http.get("/api/v1/oidc/login")) == (503, "provider_silent")
    assert code_of(api.http.get("/api/v1/oidc/login")) == (404, "not_found")


def test_settings_that_would_not_be_safe_are_refused(tmp_path: Path) -> None:
    for wrong, words in (({"issuer": "http://id.example"}, "https"), ({"scopes": ["profile"]}, "openid")):
        with pytest.raises(ConfigError, match=words):
            make_site(tmp_path, hub={"oidc": SETTINGS | wrong})
    site = make_site(tmp_path, hub={"oidc": SETTINGS | {"client_secret_file": str(tmp_path / "none")}})
    with pytest.raises(HubError, match="cannot be read"):
        make_hub(site, ManualClock())
