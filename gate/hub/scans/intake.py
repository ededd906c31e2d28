"""Scans come in: kept on disk, committed, then matched. What cannot be kept now stays with its source, which offers it again."""

import threading
from collections.abc import Mapping
from functools import partial

import structlog
from sqlalchemy.exc import DBAPIError

from drivers.errors import DeviceError
from drivers.xray.interface import NotTaken, XrayRefused, XrayReport, XraySource
from gate.hub.scans.desk import keep_scan, match_waiting
from gate.hub.scans.pictures import pictures_of
from gate.hub.service import Hub

log = structlog.get_logger(__name__)

MATCH_S = 0.5
START_AGAIN_S = 10.0
_JOIN_S = 5.0


class ScanIntake:
    """The machines of a port. Each source reports in a thread of its own; one more matches what is still nobody's."""

    def __init__(self, hub: Hub, sources: Mapping[str, XraySource]) -> None:
        self._hub = hub
        self._sources = sources
        self._started: dict[str, XraySource] = {}
        self._problems: dict[str, str] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scan-matching", daemon=True)

    def start(self) -> None:
        """Begin; returns at once. A folder or port that cannot be used is tried again: a hub does not stand still for a machine."""
        if self._sources:
            self._thread.start()

    def stop(self) -> None:
        """End the sources, then matching. May be called when nothing was started."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)
        for source in self._started.values():
            source.stop()
        self._started.clear()

    def take(self, source: str, report: XrayReport) -> None:
        """Keep a scan, and match it if its owner is known already. NotTaken when disk or database refuse."""
        if isinstance(report, XrayRefused):
            log.warning("scan_refused", source=source, why=report.sentence)
            return
        pictures = pictures_of(report)
        try:
            for picture in pictures:
                self._hub.blobs.put(picture.sha256, picture.data)
            with self._hub.store.write() as connection:
                is_new = keep_scan(connection, report, pictures, source=source, now_ms=self._hub.clock.utc_ms())
        except (OSError, DBAPIError) as error:
            log.error("scan_not_kept", source=source, error=str(error)[:200])
            raise NotTaken("the hub cannot keep scans now: send it again") from error
        log.info("scan_kept", source=source, image_id=report.image_id, is_new=is_new)
        self.match()

    def match(self) -> None:
        """Match what is nobody's yet, and tell the screens of the cases that got one."""
        try:
            with self._hub.store.write() as connection:
                touched = match_waiting(connection, self._hub.blobs, now_ms=self._hub.clock.utc_ms())
        except DBAPIError as error:
            log.error("scans_not_matched", error=str(error.orig))  # they are kept: the next pass tries again
            return
        for case_id in dict.fromkeys(touched):
            self._hub.case_touched(case_id)

    def start_sources(self) -> None:
        """Start those that are not; what cannot be is logged once for each reason."""
        for name, source in self._sources.items():
            if name in self._started:
                continue
            try:
                source.start(partial(self.take, name))
            except DeviceError as error:
                if self._problems.get(name) != str(error):
                    log.error("scan_source_failed", source=name, why=str(error))
                self._problems[name] = str(error)
            else:
                self._problems.pop(name, None)
                self._started[name] = source

    def _run(self) -> None:
        next_start_s = 0.0
        while not self._stopping.wait(MATCH_S):
            if self._hub.clock.monotonic_ns() / 1e9 >= next_start_s:
                next_start_s = self._hub.clock.monotonic_ns() / 1e9 + START_AGAIN_S
                self.start_sources()
            self.match()
