"""The shape of a site file (TOML). Every key states its unit; an unknown key is an error; nothing secret is kept here.

Safe states are not settings: they are in ``docs/SAFETY.md`` and in the code. What can be set are times, thresholds and devices.
"""

from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlparse

from pydantic import Field, model_validator

from config.chip import ChipPolicy, ChipReader
from config.equipment import Contacts, Reader, Turnstile, Xray
from config.lines import line_problem
from config.oidc import Oidc
from config.optics import Camera as Camera  # noqa: PLC0414  handed on
from config.optics import DocumentLight
from config.optics import Thermometer as Thermometer  # noqa: PLC0414  handed on
from config.promise import Promise as Promise  # noqa: PLC0414  handed on
from config.reasons import Reasons
from config.retention import Retention
from config.risk import Risk
from config.section import LOOPBACK_HOSTS, Name, Section
from config.watchlist import WatchlistSettings
from config.window import LookupName, Window


class Port(Section):
    id: Name
    title: str = Field(min_length=1)


class Broker(Section):
    """The MQTT broker. ``is_embedded`` starts one inside the command, for a desk or a demonstration; loopback only."""

    host: str = "127.0.0.1"
    port: int = Field(default=1883, ge=1, le=65535)
    is_embedded: bool = False
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None

    @model_validator(mode="after")
    def _safe_transport(self) -> Self:
        if self.is_embedded and self.host not in LOOPBACK_HOSTS:
            raise ValueError(
                f"an embedded broker listens on loopback only, not on {self.host}: run mosquitto for a port"
            )
        if self.host not in LOOPBACK_HOSTS and self.ca_file is None:
            raise ValueError("a broker that is not on loopback needs TLS: set ca_file, certificate_file and key_file")
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("certificate_file and key_file belong together: set both or none")
        return self


class Hub(Section):
    """The port's hub. ``url`` is where lanes and consoles reach its HTTP API."""

    name: Name = "hub"
    url: str = "http://127.0.0.1:8080"
    is_embedded: bool = False
    database_url: str | None = None  # default: SQLite in the state folder
    ingest_workers: int = Field(default=0, ge=0, le=64)  # processes `gate hub worker`; 0: the hub takes events itself
    ingest_sharing: Literal["broker", "lanes"] = "broker"  # who divides them: MQTT 5 shared subscriptions, or by lane
    command_lifetime_s: float = Field(default=10.0, gt=0, le=60)
    session_lifetime_min: int = Field(default=60, ge=1, le=720)
    oidc: Oidc | None = None  # officers sign in at their agency; local accounts stay beside it

    @model_validator(mode="after")
    def _private_transport(self) -> Self:
        parts = urlparse(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{self.url!r} is not an http or https address")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS:
            raise ValueError("passports travel to the hub: use https for a hub that is not on loopback")
        return self

    @model_validator(mode="after")
    def _workers_share(self) -> Self:
        if self.ingest_workers and not (self.database_url or "").startswith("postgresql"):
            raise ValueError(
                "ingest_workers need a database that several processes share: set database_url to PostgreSQL"
            )
        return self


class Role(Section):
    """An agency with a screen of its own. ``releases_by_rule``: may a case without a finding for this role go without its officer?"""

    id: Name
    title: str
    title_zh: str
    colour: str = Field(pattern=r"^#[0-9a-fA-F]{6}$")
    is_required: bool = True
    releases_by_rule: bool = True
    sees: tuple[Literal["identity", "pictures", "declaration", "findings", "temperature", "watchlist"], ...] = (
        "identity",
        "pictures",
        "declaration",
        "findings",
        "temperature",
        "watchlist",
    )


class Policy(Section):
    """Limits that decide. The face thresholds come from the model's manifest unless they are set here (cosine, -1 to 1)."""

    mode: Literal["joint", "gate"] = "joint"
    lookups: tuple[LookupName, ...] = (
        "watchlist",
        "customs_declaration",
        "health_declaration",
    )
    lookup_deadline_ms: int = Field(default=1500, ge=50, le=10_000)
    face_threshold: float | None = Field(default=None, gt=0, lt=1)
    accepts_specimens: bool = False  # documents of Utopia (UTO), as demonstrations use; no real port does
    referring_cues: tuple[Literal["raster", "photocopy", "sheet"], ...] = (
        "raster",
        "photocopy",
        "sheet",
    )  # signs of a copy
    visual_zone: Literal["off", "compare", "require"] = (
        "off"  # printed text against the MRZ; needs the model text-recogniser
    )
    boarding_pass: Literal["off", "compare", "require"] = "off"  # compare where one is shown; require: none refers
    health_code: Literal["off", "compare", "require"] = (
        "off"  # the health declaration that a traveller carries as a QR code
    )
    health_authority_keys_dir: Path | None = None  # PEM files of the authorities' public keys (Ed25519)
    scans: Literal["show", "refer"] = "show"  # refer: customs look at every X-ray picture before a release
    document_lights: Literal["refer", "note"] = (
        "refer"  # what an ink or paper that fails under the reader's lamps does; lanes with [lane.document_light] only
    )
    is_temperature_checked: bool = True
    temperature_mode: Literal["all", "each", "alarm"] = (
        "all"  # record every reading; measure each alone, standing still; or record those above the limit only
    )
    temperature_max_celsius: float = Field(default=37.3, gt=30, lt=45)
    presentation_attack: Literal["refer", "note", "off"] = (
        "refer"  # a picture of a face: refer, or only note what was measured
    )
    presentation_unsure: Literal["refer", "note"] = "refer"  # no sign of life, and none of a picture either
    presentation_wait_ms: int = Field(default=2_500, ge=0, le=10_000)  # for signs of life, once the face matches
    presentation_calibration_file: Path | None = None  # of `gate eval pad --calibrate`; default: the shipped one
    presentation_texture_model: str | None = (
        None  # a prepared model of the manifest, such as pad-texture; needs such a file
    )
    document_timeout_ms: int = Field(default=6_000, ge=500, le=60_000)
    entry_timeout_ms: int = Field(default=10_000, ge=1_000, le=60_000)
    face_timeout_ms: int = Field(default=8_000, ge=1_000, le=60_000)
    exit_timeout_ms: int = Field(default=10_000, ge=1_000, le=60_000)
    desk_notice_ms: int = Field(default=4_000, ge=0, le=60_000)
    inside_limit_ms: int = Field(default=90_000, ge=5_000, le=300_000)
    release_wait_ms: int = Field(default=3_000, ge=500, le=30_000)
    sensor_max_age_ms: int = Field(default=400, ge=50, le=2_000)

    @model_validator(mode="after")
    def _times_fit(self) -> Self:
        if self.inside_limit_ms <= self.face_timeout_ms:
            raise ValueError("inside_limit_ms must be longer than face_timeout_ms, or nobody could ever be cleared")
        if self.presentation_texture_model is not None and self.presentation_calibration_file is None:
            raise ValueError(
                "presentation_texture_model needs presentation_calibration_file: what such a model says is worth nothing uncalibrated"
            )
        if self.health_code != "off" and self.health_authority_keys_dir is None:
            raise ValueError("health_code needs health_authority_keys_dir, the folder of the authorities' public keys")
        return self


class ModbusWiring(Section):
    """Which terminal of a Modbus RTU I/O module is which signal (docs/protocols/modbus-osdp.md). ``"!5"`` is a contact that opens."""

    unit: int = Field(ge=1, le=247)
    parity: Literal["N", "E", "O"] = "N"
    inputs: dict[str, int | str]
    outputs: dict[str, int]
    beams: tuple[int | str, ...]
    first_inside_beam: int = Field(ge=1)
    last_inside_beam: int = Field(ge=2)
    answer_timeout_ms: int = Field(default=80, ge=10, le=1_000)
    poll_ms: int = Field(default=50, ge=10, le=500)
    watchdog_ms: int = Field(default=1_000, ge=200, le=5_000)  # the watchdog relay's own time
    travel_ms: int = Field(default=4_000, ge=500, le=30_000)  # longest that a door may be on its way
    pulse_ms: int = Field(default=200, ge=20, le=2_000)


class Board(Section):
    """The lane controller board. ``kind`` names a driver: ``lane_link`` (serial), ``modbus_io`` or one that a package registers."""

    kind: str = "lane_link"
    port: str = ""
    baud_rate: int = Field(default=115_200, ge=9_600, le=4_000_000)
    link_timeout_ms: int = Field(default=600, ge=200, le=5_000)  # silence after which the link counts as lost
    answer_timeout_ms: int = Field(default=400, ge=50, le=5_000)
    modbus: ModbusWiring | None = None

    @model_validator(mode="after")
    def _has_port(self) -> Self:
        if self.kind == "relay":
            raise ValueError(
                "a turnstile with a relay and a contact tells neither who is inside nor that it is shut, so it cannot be a "
                "lane's board: use lane_link or modbus_io here and set the turnstile behind the exit in [lane.turnstile]"
            )
        if self.kind in ("lane_link", "modbus_io") and not self.port:
            raise ValueError(f"a {self.kind} board needs its serial port, for example port = '/dev/ttyUSB0'")
        if (self.kind == "modbus_io") != (self.modbus is not None):
            raise ValueError("a modbus_io board needs its wiring in [lane.board.modbus], and no other board has one")
        return self

    @property
    def settings(self) -> dict[str, Any]:
        """What the driver of this kind is made with."""
        if self.kind == "lane_link":
            names = {"port", "baud_rate", "link_timeout_ms", "answer_timeout_ms"}
            return self.model_dump(include=names)
        if self.modbus is not None:
            return {"port": self.port, "baud_rate": self.baud_rate, **self.modbus.model_dump()}
        return {}


class Lane(Section):
    id: Name
    title: str = ""
    doors: Literal[1, 2] = 2  # 1: a walk-through, with an open approach and an exit; the board must say so, too
    board: Board
    face_camera: Camera
    has_kiosk_light: bool = False  # the kiosk's screen faces the traveller and may light the face in colours
    kiosk_mirror_port: int | None = Field(
        default=None, ge=1_024, le=65_535
    )  # own picture, for a browser on the lane's machine
    face_camera_2: Camera | None = None  # at another height, for children and people in wheelchairs
    document_camera: Camera
    document_light: DocumentLight | None = None  # white, infrared and ultraviolet over the document reader's glass
    thermometer: Thermometer | None = None
    contacts: Contacts | None = None
    turnstile: Turnstile | None = None
    readers: tuple[Reader, ...] = Field(default=(), alias="reader")
    chip_reader: ChipReader | None = None  # the antenna for electronic passports under the document reader's glass

    @property
    def has_entry(self) -> bool:
        """Whether a door shuts behind who comes in."""
        return self.doors == 2

    @model_validator(mode="after")
    def _one_door_is_known_to_the_board(self) -> Self:
        if self.doors == 1 and self.board.kind == "modbus_io":
            raise ValueError(
                "a modbus_io board has two doors wired: a lane with doors = 1 needs a board that says so itself, as lane_link does"
            )
        return self

    @model_validator(mode="after")
    def _readers_differ(self) -> Self:
        names = [reader.id for reader in self.readers]
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise ValueError(f"two readers are called {doubled[0]!r}: give each its own id")
        return self

    @model_validator(mode="after")
    def _lamps_have_a_camera_that_obeys(self) -> Self:
        light = self.document_light
        is_ordered = light is not None and (light.infrared_exposure_us or light.ultraviolet_exposure_us)
        if is_ordered and self.document_camera.kind not in ("v4l2", "onvif"):
            raise ValueError(
                "infrared_exposure_us and ultraviolet_exposure_us need a document camera that takes orders: v4l2 or onvif"
            )
        return self


class Site(Section):
    """One port: its broker, hub, roles, policy and lanes. ``state_dir`` holds what must survive a restart."""

    port: Port
    state_dir: Path = Path("var/tongguan")
    broker: Broker = Broker()
    hub: Hub = Hub()
    policy: Policy = Policy()
    chip: ChipPolicy = ChipPolicy()
    retention: Retention = Retention()
    reasons: Reasons = Reasons()
    promise: Promise = Promise()
    window: Window = Window()
    watchlist: WatchlistSettings = WatchlistSettings()
    risk: Risk = Risk()
    roles: tuple[Role, ...] = Field(default=(), alias="role")
    lanes: tuple[Lane, ...] = Field(default=(), alias="lane")
    xray: tuple[Xray, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for what, names in (
            ("lane", [lane.id for lane in self.lanes]),
            ("role", [role.id for role in self.roles]),
            ("X-ray machine", [machine.id for machine in self.xray]),
        ):
            doubled = sorted({name for name in names if names.count(name) > 1})
            if doubled:
                raise ValueError(f"two {what}s are called {doubled[0]!r}: give each its own id")
        if not self.lanes:
            raise ValueError("a site needs at least one [[lane]]")
        if self.policy.mode == "joint" and not any(role.is_required for role in self.roles):
            raise ValueError("policy.mode = 'joint' needs at least one [[role]] with is_required = true")
        problem = line_problem(self.lanes) or self._unknown_name() or self._shared_intake()
        if problem is not None:
            raise ValueError(problem)
        return self

    def _unknown_name(self) -> str | None:
        """A role or a lane that some section names and nobody has."""
        roles, lanes = {role.id for role in self.roles}, {lane.id for lane in self.lanes}
        for lane in self.lanes:
            contacts = lane.contacts
            if contacts is None:
                continue
            for name, part in (("radiation", contacts.radiation), ("mat", contacts.mat)):
                if part is not None and roles and part.role not in roles:
                    known = ", ".join(sorted(roles))
                    return (
                        f"lane {lane.id}, contacts.{name}: there is no role {part.role!r}, set role to one of {known}"
                    )
        for machine in self.xray:
            if machine.lane is not None and machine.lane not in lanes:
                return f"xray {machine.id}: there is no lane {machine.lane!r}, set one of {', '.join(sorted(lanes))}"
        return None

    def _shared_intake(self) -> str | None:
        """Two machines with one folder or one port would take each other's scans."""
        places = [
            str(machine.folder) if machine.kind == "folder" else f"{machine.host}:{machine.port}"
            for machine in self.xray
        ]
        doubled = sorted({place for place in places if places.count(place) > 1})
        return f"two X-ray machines deliver to {doubled[0]}: give each its own" if doubled else None

    def lane(self, lane_id: str) -> Lane | None:
        """The lane of that id, if there is one."""
        return next((lane for lane in self.lanes if lane.id == lane_id), None)

    @property
    def required_roles(self) -> frozenset[str]:
        return frozenset(role.id for role in self.roles if role.is_required)

    @property
    def keys_dir(self) -> Path:
        """Where the signing keys are: ``hub.pem``, ``lane-{id}.pem`` and their ``.pub.pem``."""
        return self.state_dir / "keys"
