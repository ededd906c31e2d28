"""Signing in at an agency's identity provider: OpenID Connect Core 1.0, authorisation code flow (3.1) with PKCE (RFC 7636, S256).

What is believed: an ID token signed by one of the provider's keys, made for us, in time, and with the nonce of this very sign-in.
"""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from config.oidc import Oidc
from gate.core.clock import Clock
from gate.hub.errors import HubError

ALGORITHMS = ("RS256", "PS256", "ES256", "Ed25519", "EdDSA")
"""Only signatures by a key of the provider's: never ``none``, never one with our own secret."""
MAX_WAITING = 1_000
WAIT_MS = 600_000
LEEWAY_S = 30
_TIMEOUT = httpx.Timeout(5.0, connect=3.0)
_MAX_ANSWER_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """One sign-in under way. ``state`` comes back with the browser, ``verifier`` and ``nonce`` never leave the hub in clear."""

    state: str
    nonce: str
    verifier: str
    target: str
    until_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Whom the provider vouches for. ``roles`` are of this site."""

    subject: str
    name: str
    roles: frozenset[str]
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInRefused:
    """Why: ``unknown_sign_in``, ``denied``, ``provider_silent``, ``not_believed`` or ``other_port``."""

    reason: str
    detail: str


class IdentityProvider:
    """One site's provider. Blocking; thread-safe."""

    def __init__(
        self,
        settings: Oidc,
        *,
        port: str,
        callback_url: str,
        clock: Clock,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Raises HubError when the client's secret cannot be read."""
        self._settings = settings
        self._port = port
        self._callback_url = callback_url
        self._clock = clock
        self._secret = _read_secret(settings)
        self._http = httpx.Client(timeout=_TIMEOUT, trust_env=False, transport=transport)
        self._lock = threading.Lock()
        self._waiting: OrderedDict[str, SignIn] = OrderedDict()
        self._discovered: dict[str, Any] | None = None

    @property
    def issuer(self) -> str:
        return self._settings.issuer

    def close(self) -> None:
        self._http.close()

    def begin(self, target: str) -> tuple[str, SignIn] | SignInRefused:
        """Where to send the browser, and the sign-in that it comes back to."""
        try:
            document = self._discover()
        except (httpx.HTTPError, ValueError) as error:
            return SignInRefused(reason="provider_silent", detail=str(error)[:200])
        sign_in = SignIn(
            state=secrets.token_urlsafe(24),
            nonce=secrets.token_urlsafe(24),
            verifier=secrets.token_urlsafe(48),
            target=target,
            until_ms=self._clock.utc_ms() + WAIT_MS,
        )
        with self._lock:
            self._waiting[sign_in.state] = sign_in
            while len(self._waiting) > MAX_WAITING:
                self._waiting.popitem(last=False)
        address = prepare_grant_uri(
            document["authorization_endpoint"],
            client_id=self._settings.client_id,
            response_type="code",
            redirect_uri=self._callback_url,
            scope=" ".join(self._settings.scopes),
            state=sign_in.state,
            nonce=sign_in.nonce,
            code_challenge=create_s256_code_challenge(sign_in.verifier),
            code_challenge_method="S256",
        )
        return str(address), sign_in

    def finish(self, *, state: str, code: str | None, error: str | None) -> Person | SignInRefused:
        """Exchange the code for an ID token, and say whom it vouches for. A state serves once."""
        with self._lock:
            sign_in = self._waiting.pop(state, None)
        if sign_in is None or sign_in.until_ms < self._clock.utc_ms():
            return SignInRefused(reason="unknown_sign_in", detail="this sign-in is not known, or took too long")
        if code is None or error is not None:
            return SignInRefused(reason="denied", detail="the identity provider did not let you in")
        try:
            document = self._discover()
            token = self._exchange(document["token_endpoint"], code, sign_in.verifier)
            claims = self._claims(document, token, sign_in.nonce)
        except (httpx.HTTPError, KeyError, TypeError) as failure:
            return SignInRefused(reason="provider_silent", detail=f"{type(failure).__name__}"[:200])
        except (JoseError, ValueError) as failure:
            return SignInRefused(reason="not_believed", detail=str(failure)[:200])
        return self._person(claims, sign_in.target)

    def _discover(self) -> dict[str, Any]:
        """The provider's document (OpenID Connect Discovery 1.0, 4); kept, since it hardly ever changes."""
        if self._discovered is None:
            document = self._json("GET", f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
            if document.get("issuer") != self.issuer:
                raise ValueError("the provider calls itself otherwise than the site's settings do")
            for key in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                if not isinstance(document.get(key), str):
                    raise ValueError(f"the provider's document lacks {key}")
            self._discovered = document
        return self._discovered

    def _exchange(self, endpoint: str, code: str, verifier: str) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._callback_url,
            "client_id": self._settings.client_id,
            "code_verifier": verifier,
        }
        if self._secret is not None:
            form["client_secret"] = self._secret
        return str(self._json("POST", endpoint, form)["id_token"])

    def _claims(self, document: Mapping[str, Any], token: str, nonce: str) -> dict[str, Any]:
        """OpenID Connect Core 1.0, 3.1.3.7. The keys are asked for anew each time: a provider changes them when it likes."""
        keys = KeySet.import_key_set(self._json("GET", document["jwks_uri"]))  # type: ignore[arg-type]
        claims = jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims
        audience = claims.get("aud")
        if isinstance(audience, list) and len(audience) > 1 and claims.get("azp") != self._settings.client_id:
            raise ValueError("the ID token was made for several, and not by us")
        rules = jwt.JWTClaimsRegistry(
            now=lambda: self._clock.utc_ms() // 1000,
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self._settings.client_id},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        rules.validate(claims)
        return dict(claims)

    def _person(self, claims: Mapping[str, Any], target: str) -> Person | SignInRefused:
        ports = _texts(claims.get(self._settings.ports_claim)) if self._settings.ports_claim else {self._port}
        if self._port not in ports:
            return SignInRefused(
                reason="other_port", detail=f"the identity provider does not let you in at {self._port}"
            )
        said = _texts(claims.get(self._settings.roles_claim))
        roles = {self._settings.roles[item] for item in said if item in self._settings.roles}
        return Person(
            subject=str(claims["sub"]),
            name=str(claims.get("name") or claims.get("preferred_username") or ""),
            roles=frozenset(roles if self._settings.roles else said),
            target=target,
        )

    def _json(self, method: str, url: str, form: Mapping[str, str] | None = None) -> dict[str, Any]:
        response = self._http.request(method, url, data=form, headers={"Accept": "application/json"})
        response.raise_for_status()
        if len(response.content) > _MAX_ANSWER_BYTES:
            raise ValueError("the provider's answer is too long")
        answer = response.json()
        if not isinstance(answer, dict):
            raise ValueError("the provider's answer is no object")
        return answer


def _texts(value: object) -> frozenset[str]:
    if isinstance(value, str):
        return frozenset(value.split())
    return frozenset(item for item in value if isinstance(item, str)) if isinstance(value, list) else frozenset()


def _read_secret(settings: Oidc) -> str | None:
    if settings.client_secret_file is None:
        return None
    try:
        return settings.client_secret_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise HubError(
            f"the identity provider's secret {settings.client_secret_file} cannot be read ({error}): check hub.oidc.client_secret_file"
        ) from None
