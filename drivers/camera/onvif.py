"""As much of ONVIF as a gate asks of a camera: where its stream is, and its exposure.

SOAP 1.2 over HTTP (ONVIF Core Specification; Media and Imaging Service Specifications): GetSystemDateAndTime, GetCapabilities, GetProfiles,
GetStreamUri, GetOptions, GetImagingSettings, SetImagingSettings. Users are told by a UsernameToken with password digest (WS-Security
UsernameToken Profile 1.0), dated by the camera's own clock, since cameras refuse others and many have the wrong time.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

import httpx

from drivers.camera.exposure import ExposureControl, ExposureFault, ExposureState
from drivers.errors import DeviceError

_SOAP = "http://www.w3.org/2003/05/soap-envelope"
_WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_DIGEST = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest"
_BASE64 = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
_TDS = "http://www.onvif.org/ver10/device/wsdl"
_TRT = "http://www.onvif.org/ver10/media/wsdl"
_TIMG = "http://www.onvif.org/ver20/imaging/wsdl"
_TT = "http://www.onvif.org/ver10/schema"
_MOST_BYTES = 262_144
_TIMEOUT_S = 2.0


class OnvifError(Exception):
    """The camera did not do as it was asked; `str()` is why, in a few words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    user: str
    password: str

    def __repr__(self) -> str:
        return f"Credentials(user={self.user!r})"


def read_credentials(path: Path) -> Credentials:
    """User and password, the first two lines of a file that only the lane may read. DeviceError when it is not so."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DeviceError(
            f"Credentials file {path} cannot be read ({error}); make it, readable to the lane alone."
        ) from error
    if len(lines) < 2 or not lines[0]:
        raise DeviceError(
            f"Credentials file {path} does not hold user and password; write them on its first two lines."
        )
    return Credentials(user=lines[0], password=lines[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Places:
    """Service addresses and tokens, asked for once."""

    media: str
    imaging: str
    profile: str
    video_source: str


class OnvifClient:
    """One camera. Used by one thread at a time. Every method raises `OnvifError` for what the camera does wrong."""

    def __init__(
        self,
        device_service: str,
        *,
        credentials: Credentials | None = None,
        profile: str = "",
        utc_now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._device = device_service
        self._credentials = credentials
        self._profile = profile
        self._utc_now = utc_now
        self._ahead: timedelta | None = None
        self._places: _Places | None = None
        self._http = httpx.Client(timeout=_TIMEOUT_S, trust_env=False)

    def close(self) -> None:
        self._http.close()

    def stream_uri(self) -> str:
        """The RTSP address of the profile, with user and password where there are any: keep it out of logs."""
        places = self._find_places()
        answer = self._ask(
            places.media,
            f"<GetStreamUri xmlns={quoteattr(_TRT)}><StreamSetup>"
            f"<Stream xmlns={quoteattr(_TT)}>RTP-Unicast</Stream>"
            f"<Transport xmlns={quoteattr(_TT)}><Protocol>RTSP</Protocol></Transport></StreamSetup>"
            f"<ProfileToken>{escape(places.profile)}</ProfileToken></GetStreamUri>",
        )
        uri = _text(answer, f".//{{{_TT}}}Uri")
        parts = urlsplit(uri)
        if parts.scheme not in ("rtsp", "rtsps") or not parts.hostname:
            raise OnvifError("the camera's stream is at no rtsp address")
        if self._credentials is None or parts.username is not None:
            return uri
        user = f"{quote(self._credentials.user, safe='')}:{quote(self._credentials.password, safe='')}@"
        return urlunsplit(parts._replace(netloc=user + parts.netloc))

    def exposure(self) -> ExposureState:
        """Settings and limits; ONVIF states exposure times in microseconds."""
        places = self._find_places()
        token = f"<VideoSourceToken>{escape(places.video_source)}</VideoSourceToken>"
        options = self._ask(places.imaging, f"<GetOptions xmlns={quoteattr(_TIMG)}>{token}</GetOptions>")
        settings = self._ask(
            places.imaging, f"<GetImagingSettings xmlns={quoteattr(_TIMG)}>{token}</GetImagingSettings>"
        )
        limits = f".//{{{_TT}}}Exposure/{{{_TT}}}ExposureTime/{{{_TT}}}"
        time_text = settings.findtext(f".//{{{_TT}}}Exposure/{{{_TT}}}ExposureTime")
        return ExposureState(
            is_auto=_text(settings, f".//{{{_TT}}}Exposure/{{{_TT}}}Mode") != "MANUAL",
            time_us=None if time_text is None else round(_number(time_text)),
            least_us=round(_number(_text(options, f"{limits}Min"))),
            most_us=round(_number(_text(options, f"{limits}Max"))),
        )

    def set_exposure(self, time_us: int | None) -> None:
        """Manual of this time; None: automatic. Not kept over a restart of the camera (ForcePersistence false)."""
        places = self._find_places()
        inner = "<Mode>AUTO</Mode>" if time_us is None else f"<Mode>MANUAL</Mode><ExposureTime>{time_us}</ExposureTime>"
        self._ask(
            places.imaging,
            f"<SetImagingSettings xmlns={quoteattr(_TIMG)}>"
            f"<VideoSourceToken>{escape(places.video_source)}</VideoSourceToken>"
            f"<ImagingSettings><Exposure xmlns={quoteattr(_TT)}>{inner}</Exposure></ImagingSettings>"
            "<ForcePersistence>false</ForcePersistence></SetImagingSettings>",
        )

    def _find_places(self) -> _Places:
        if self._places is not None:
            return self._places
        found = self._ask(
            self._device, f"<GetCapabilities xmlns={quoteattr(_TDS)}><Category>All</Category></GetCapabilities>"
        )
        media = _text(found, f".//{{{_TT}}}Media/{{{_TT}}}XAddr")
        imaging = _text(found, f".//{{{_TT}}}Imaging/{{{_TT}}}XAddr")
        for address in (media, imaging):
            # A camera that sends us elsewhere would be told the password there.
            if urlsplit(address).hostname != urlsplit(self._device).hostname:
                raise OnvifError(
                    f"the camera says that a service of its own is at another host, {urlsplit(address).hostname}"
                )
        profiles = self._ask(media, f"<GetProfiles xmlns={quoteattr(_TRT)}/>").findall(f".//{{{_TRT}}}Profiles")
        wanted = [profile for profile in profiles if self._profile in ("", profile.get("token"))]
        if not wanted:
            known = ", ".join(profile.get("token") or "?" for profile in profiles) or "none"
            raise OnvifError(f"the camera has no profile {self._profile!r}, but {known}")
        self._places = _Places(
            media=media,
            imaging=imaging,
            profile=wanted[0].get("token") or "",
            video_source=_text(wanted[0], f"{{{_TT}}}VideoSourceConfiguration/{{{_TT}}}SourceToken"),
        )
        return self._places

    def _ask(self, address: str, body: str, *, is_signed: bool = True) -> ElementTree.Element:
        """The answer's body."""
        header = f"<s:Header>{self._token()}</s:Header>" if is_signed and self._credentials is not None else ""
        envelope = f'<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="{_SOAP}">{header}<s:Body>{body}</s:Body></s:Envelope>'
        try:
            answer = self._http.post(
                address,
                content=envelope.encode(),
                headers={"Content-Type": "application/soap+xml; charset=utf-8"},
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise OnvifError(f"no answer: {str(error) or type(error).__name__}") from error
        return _body(answer.status_code, answer.content)

    def _token(self) -> str:
        """Password digest: Base64(SHA-1(nonce + created + password)), as the profile prescribes."""
        if self._credentials is None:
            return ""
        if self._ahead is None:
            self._ahead = self._clock_ahead()
        created = (self._utc_now() + self._ahead).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        nonce = os.urandom(16)
        digest = hashlib.sha1(
            nonce + created.encode() + self._credentials.password.encode(), usedforsecurity=False
        ).digest()
        return (
            f'<Security xmlns="{_WSSE}" s:mustUnderstand="1"><UsernameToken>'
            f"<Username>{escape(self._credentials.user)}</Username>"
            f'<Password Type="{_DIGEST}">{base64.b64encode(digest).decode()}</Password>'
            f'<Nonce EncodingType="{_BASE64}">{base64.b64encode(nonce).decode()}</Nonce>'
            f'<Created xmlns="{_WSU}">{created}</Created></UsernameToken></Security>'
        )

    def _clock_ahead(self) -> timedelta:
        """How far the camera's clock is ahead of ours."""
        answer = self._ask(self._device, f"<GetSystemDateAndTime xmlns={quoteattr(_TDS)}/>", is_signed=False)
        utc = answer.find(f".//{{{_TT}}}UTCDateTime")
        if utc is None:
            return timedelta(0)
        parts = [
            _text(utc, f"{{{_TT}}}{group}/{{{_TT}}}{name}")
            for group, name in (
                ("Date", "Year"),
                ("Date", "Month"),
                ("Date", "Day"),
                ("Time", "Hour"),
                ("Time", "Minute"),
                ("Time", "Second"),
            )
        ]
        try:
            theirs = datetime(*(int(part) for part in parts), tzinfo=UTC)  # type: ignore[misc, arg-type]
        except ValueError:
            raise OnvifError("the camera's clock shows no time") from None
        return theirs - self._utc_now()


class OnvifExposure(ExposureControl):
    """Exposure through the Imaging service."""

    def __init__(self, client: OnvifClient) -> None:
        self._client = client
        self._limits: tuple[int, int] | None = None

    def read(self) -> ExposureState | ExposureFault:
        try:
            state = self._client.exposure()
        except OnvifError as error:
            return ExposureFault(reason=str(error))
        self._limits = (state.least_us, state.most_us)
        return state

    def set_auto(self) -> ExposureFault | None:
        return self._set(None)

    def set_time_us(self, time_us: int) -> ExposureFault | None:
        if self._limits is None:
            state = self.read()
            if isinstance(state, ExposureFault):
                return state
        least, most = self._limits or (time_us, time_us)
        return self._set(min(most, max(least, time_us)))

    def close(self) -> None:
        self._client.close()

    def _set(self, time_us: int | None) -> ExposureFault | None:
        try:
            self._client.set_exposure(time_us)
        except OnvifError as error:
            return ExposureFault(reason=str(error))
        return None


def _body(status: int, content: bytes) -> ElementTree.Element:
    # A document type could define entities that grow without end; SOAP forbids one (SOAP 1.2, part 1, 5).
    if len(content) > _MOST_BYTES or b"\0" in content or b"<!DOCTYPE" in content:
        raise OnvifError("the answer is no SOAP message")
    try:
        root = ElementTree.fromstring(content)  # noqa: S314  no document type, bounded size
    except (ElementTree.ParseError, ValueError, LookupError):
        raise OnvifError(f"the answer is no SOAP message (HTTP {status})") from None
    body = root.find(f"{{{_SOAP}}}Body")
    if body is None:
        raise OnvifError(f"the answer is no SOAP message (HTTP {status})")
    fault = body.find(f"{{{_SOAP}}}Fault")
    if fault is not None:
        said = " ".join((fault.findtext(f".//{{{_SOAP}}}Text") or "").split())[:120]
        raise OnvifError(f"refused: {said or 'no reason given'}")
    if status >= 400:
        raise OnvifError(f"HTTP {status}")
    return body


def _text(element: ElementTree.Element, path: str) -> str:
    found = element.findtext(path)
    if found is None or not found.strip():
        raise OnvifError(f"the answer lacks {path.rsplit('}', 1)[-1]}")
    return found.strip()


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise OnvifError(f"{text[:20]!r} is no number") from None
    if not 0 <= value < 1e9:
        raise OnvifError(f"{text[:20]!r} is no exposure time")
    return value
