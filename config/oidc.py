"""An agency's own identity provider, for officers who sign in there."""

from pathlib import Path
from typing import Self
from urllib.parse import urlparse

from pydantic import Field, model_validator

from config.section import LOOPBACK_HOSTS, Section


class Oidc(Section):
    """OpenID Connect, authorisation code with PKCE. The provider must know ``{hub.url}/api/v1/oidc/callback`` as our address.

    ``roles`` maps what the provider says to role ids of the site (and ``supervisor``, ``intake``); empty: they are called the same.
    """

    issuer: str
    client_id: str = Field(min_length=1, max_length=200)
    client_secret_file: Path | None = None  # one line; none for a public client, which PKCE protects
    scopes: tuple[str, ...] = ("openid", "profile")
    roles_claim: str = "roles"
    ports_claim: str | None = None  # a list of port ids; whoever does not have this port does not come in
    roles: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _private(self) -> Self:
        parts = urlparse(self.issuer)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS):
            raise ValueError(f"the issuer {self.issuer!r} is not an https address")
        if "openid" not in self.scopes:
            raise ValueError("scopes must hold 'openid': without it the provider says nothing about who signs in")
        return self
