"""Settings into what a lane's parts are made with: policies, liveness, code readers, fittings."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from config.schema import Lane, Site
from drivers.camera.light import LightStep
from drivers.chip.reader import ReadLimits
from gate.checks.emrtd.findings import ChipLimits
from gate.checks.emrtd.passive import PassivePolicy
from gate.checks.emrtd.store import TrustStore
from gate.checks.emrtd.store_file import load_store
from gate.checks.travel_codes import load_authority_keys
from gate.core.clock import Clock
from gate.core.document_findings import DocumentLimits
from gate.core.policy import ClearancePolicy, TemperatureMode
from gate.core.presentation import PresentationPolicy
from gate.core.state import LanePolicy
from gate.core.travel_findings import CodeRule, TravelPolicy
from gate.devices import LaneDevices
from gate.lane.chip_watch import ChipRules, ChipWatch
from gate.lane.equipment import Fittings
from gate.lane.exposure import ExposureKeeper
from gate.lane.eyes import Eyes
from gate.lane.face_observers import EXPOSURES, FaceObservers
from gate.lane.lamps import Lamps
from gate.lane.liveness import Liveness
from gate.lane.mirror import Mirror
from gate.lane.temperature import Thermometry
from gate.lane.travel_codes import TravelCodes
from gate.lane.witnesses import WitnessRoles
from models.document.lights import LightLimits
from models.pad.expression import ExpressionSignal
from models.pad.fusion import PadFusion, read_calibration
from models.pad.texture_model import TextureModelSignal
from models.pad.watch import motion_signals
from models.session import ModelSession
from models.store import ModelStore

CHIP_MARGIN_MS = 1_000
"""The reading of a chip gives up so long before the document's time is over, so that a referral carries what was found."""


def lane_policy(site: Site, lane: Lane) -> LanePolicy:
    times = site.policy
    return LanePolicy(
        document_timeout_ms=times.document_timeout_ms,
        entry_timeout_ms=times.entry_timeout_ms,
        face_timeout_ms=times.face_timeout_ms,
        release_wait_ms=times.release_wait_ms,
        exit_timeout_ms=times.exit_timeout_ms,
        inside_limit_ms=times.inside_limit_ms,
        desk_notice_ms=times.desk_notice_ms,
        has_entry=lane.has_entry,
    )


def clearance_policy(site: Site, eyes: Eyes) -> ClearancePolicy:
    return ClearancePolicy(
        face_threshold=eyes.match_threshold,
        temperature_max_celsius=site.policy.temperature_max_celsius if site.policy.is_temperature_checked else None,
        temperature_mode=TemperatureMode(site.policy.temperature_mode),
        required_lookups=frozenset(site.policy.lookups),
        document=DocumentLimits(
            accepts_specimens=site.policy.accepts_specimens,
            referring_cues=frozenset(site.policy.referring_cues),
            refers_unread_visual_zone=site.policy.visual_zone == "require",
            refers_lights=site.policy.document_lights == "refer",
        ),
        presentation=_presentation_policy(site),
    )


def _presentation_policy(site: Site) -> PresentationPolicy | None:
    times = site.policy
    if times.presentation_attack == "off":
        return None
    return PresentationPolicy(
        refers_attack=times.presentation_attack == "refer", refers_unsure=times.presentation_unsure == "refer"
    )


def document_lamps(lane: Lane, devices: LaneDevices) -> Lamps | None:
    """The document reader's lamps with their limits; None where the lane has none."""
    settings = lane.document_light
    if settings is None or devices.document_light is None:
        return None
    limits = LightLimits(ink_least_contrast=settings.ink_least_contrast, paper_most_glow=settings.paper_most_glow)
    times = {
        LightStep.INFRARED: settings.infrared_exposure_us,
        LightStep.ULTRAVIOLET: settings.ultraviolet_exposure_us,
    }
    return Lamps(
        light=devices.document_light,
        settle_ms=settings.settle_ms,
        limits=limits,
        exposure=devices.document_exposure,
        exposure_us={step: time_us for step, time_us in times.items() if time_us is not None},
    )


def chip_watch(site: Site, lane: Lane, devices: LaneDevices, clock: Clock) -> ChipWatch | None:
    """Who reads chips, by the site's rules; None where the lane has no reader. ChipFault when the trust store cannot be used."""
    settings, asked = lane.chip_reader, site.chip
    if settings is None or devices.chip_reader is None:
        return None
    store = TrustStore() if asked.trust_store is None else load_store(asked.trust_store)
    return ChipWatch(
        devices.chip_reader,
        ChipRules(
            store=store,
            limits=ChipLimits(
                needs_chip=asked.needs_chip,
                accepts_silent=asked.accepts_silent,
                accepts_unread=asked.accepts_unread,
                accepts_unknown_issuer=asked.accepts_unknown_issuer,
                needs_no_copy=asked.needs_no_copy,
            ),
            passive=PassivePolicy(needs_revocation=asked.needs_revocation, refuses_weak=asked.refuses_weak),
            times=ReadLimits(
                connect_ms=settings.connect_ms,
                command_ms=settings.command_ms,
                total_ms=max(500, min(settings.total_ms, site.policy.document_timeout_ms - CHIP_MARGIN_MS)),
                allows_extended=settings.allows_extended,
            ),
        ),
        clock,
    )


def liveness(site: Site, lane: Lane, eyes: Eyes) -> Liveness:
    policy = site.policy
    is_asked, name = policy.presentation_attack != "off", policy.presentation_texture_model
    file = policy.presentation_calibration_file
    texture = ModelSession(ModelStore(), name) if is_asked and name is not None else None
    return Liveness(
        is_asked=is_asked,
        wait_ms=policy.presentation_wait_ms if policy.presentation_unsure == "refer" else 0,
        signals=lambda: (*motion_signals(), *(() if texture is None else (TextureModelSignal(texture),))),
        slow_signals=lambda: (ExpressionSignal(eyes.mesh, eyes.eye_mesh),),
        has_light=lane.has_kiosk_light,
        fusion=None if file is None else PadFusion(read_calibration(file)),
    )


def fittings(lane: Lane, devices: LaneDevices) -> Fittings:
    """The devices beside board and cameras, and who looks at what the witnesses among them say."""
    contacts, roles = lane.contacts, WitnessRoles()
    if contacts is not None and contacts.radiation is not None:
        roles = replace(roles, radiation=contacts.radiation.role)
    if contacts is not None and contacts.mat is not None:
        roles = replace(roles, mat=contacts.mat.role, one_person_max_kg=contacts.mat.one_person_max_kg)
    return Fittings(
        portal=devices.contacts.portal,
        mat=devices.contacts.mat,
        emergency_stop=devices.contacts.emergency_stop,
        turnstile=devices.turnstile,
        readers=devices.readers,
        roles=roles,
        has_entry=lane.has_entry,
    )


def travel_policy(site: Site) -> TravelPolicy:
    return TravelPolicy(
        boarding_pass=CodeRule(site.policy.boarding_pass), health_code=CodeRule(site.policy.health_code)
    )


def travel_codes(site: Site, clock: Clock) -> TravelCodes | None:
    """Who reads codes beside documents, where the site asks for it; GateError when the authorities' keys cannot be used."""
    if not travel_policy(site).is_on:
        return None
    from drivers.codes.zxing import ZxingReader

    folder = site.policy.health_authority_keys_dir
    return TravelCodes(ZxingReader(), keys={} if folder is None else load_authority_keys(folder), clock=clock)


def thermometry(site: Site, devices: LaneDevices) -> Thermometry | None:
    """How the lane takes temperatures; None where it has no thermometer."""
    thermometer = devices.thermometer
    if thermometer is None:
        return None

    def read(since_ns: int) -> float | None:
        reading = thermometer.read()
        return reading.body_celsius if reading is not None and reading.read_ns >= since_ns else None

    return Thermometry(read=read, why_not=lambda: thermometer.why_not, is_each=site.policy.temperature_mode == "each")


def face_observers(
    devices: LaneDevices,
    mirror_port: int | None = None,
    *,
    tell: Callable[[str, str | None], None] = lambda _device, _reason: None,
) -> FaceObservers:
    """Exposure by the face, for the face cameras that a site says so of, the thermometer's aim, and the kiosk's mirror.

    ``tell(device, reason)`` is told, by any thread, of an exposure control that is out of order, or (None) well again.
    """
    return FaceObservers(
        keepers={
            number: ExposureKeeper(control, on_fault=partial(tell, EXPOSURES[number]))
            for number, control in devices.exposures.items()
        },
        aim=None if devices.thermometer is None else devices.thermometer.aim,
        mirror=None if mirror_port is None else Mirror(mirror_port),
    )
