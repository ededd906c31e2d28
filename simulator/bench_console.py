"""``gate bench console``: how soon news is on many screens (:mod:`simulator.bench_screens`), and how fast the X-ray viewer is.

The viewer is measured in the browser, at the officers' own page, with the real hub behind it.

``pan_frames_per_s``: frames that the viewer draws while a picture of 4096 x 4096 pixels is dragged a few pixels a frame, whole and one
to one; the smaller of the two. ``first_picture_ms``: from the moment at which the page learns of the picture until its pixels are on the
canvas, with fetching and decoding. ``mark_ms``: from a mark drawn on one role's page until it is drawn on the other's. ``gl`` names what
draws: headless Chromium has no graphics card and draws in software.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Console

from gate.core.evidence import Finding, Outcome, Stage
from gate.errors import GateError
from simulator.bench_port import BenchPort
from simulator.bench_screens import Screens, measure_screens
from simulator.xray_scans import PIXEL_MM, make_scan, png16

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SIZE_PX = 4096
VIEWPORT_PX = (1280, 800)
PAN_S = 3.0
CASE = "bench-1"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]

_READY = "() => document.querySelector('.xray-host')?.viewer?.isDual"
_PAN = """async ([seconds, scale]) => {
  const viewer = document.querySelector('.xray-host').viewer;
  if (scale === 1) viewer.oneToOne(); else viewer.fit();
  viewer.readPixels(0, 0, 1, 1);
  await new Promise(resolve => setTimeout(resolve, 300));
  const before = viewer.framesDrawn, began = performance.now();
  await new Promise(resolve => {
    let step = 0;
    const next = () => {
      if (performance.now() - began > seconds * 1000) { resolve(); return; }
      const way = Math.floor(step++ / 40) % 2 ? -1 : 1;
      viewer.panBy(7 * way, 3 * way);
      requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  });
  viewer.surface.context.getImageData(0, 0, 1, 1);  // what is under way counts as time
  return (viewer.framesDrawn - before) * 1000 / (performance.now() - began);
}"""
_DRAW = """() => {
  const viewer = document.querySelector('.xray-host').viewer;
  const at = Date.now();
  viewer.handlers.mark({sha256: viewer.current.sha256, kind: 'box', x: 900, y: 900, width: 300, height: 200, text: 'bench'});
  return at;
}"""
_SEEN = """count => new Promise(resolve => {
  const look = () => document.querySelectorAll('.xray-mark').length >= count ? resolve(Date.now()) : requestAnimationFrame(look);
  look();
})"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """What was measured; times in milliseconds are medians but ``mark_worst_ms``."""

    pan_frames_per_s: float
    first_picture_ms: float
    first_picture_worst_ms: float
    mark_ms: float
    mark_worst_ms: float
    size_px: int
    picture_bytes: int
    gl: str
    is_software_gl: bool


def run_bench_console(*, rounds: int, seconds: int, is_json: bool) -> int:
    """Measure and print. The exit code; GateError when there is no browser."""
    console = Console(stderr=True, quiet=is_json and not sys.stderr.isatty())
    with console.status("starting broker, hub, console and browser …") as status:
        screens = measure_in_chromium(seconds=seconds, say=status.update)
        status.update("making a scan of 4096 x 4096 pixels …")
        viewer = measure_viewer(rounds=rounds, say=status.update)
    found: dict[str, Any] = {name: _rounded(value) for name, value in asdict(screens).items()}
    found["viewer"] = {name: _rounded(value) for name, value in asdict(viewer).items()}
    if is_json:
        print(json.dumps(found))
        return 0
    for name, value in (*found.items(), *found["viewer"].items()):
        if name != "viewer":
            print(f"{name:24} {value}")
    return 0


def measure_in_chromium(*, seconds: int, say: Any = lambda _words: None) -> Screens:
    """Many screens, a few of them in the system's Chromium. GateError when it is not there."""
    program, sync_playwright = _chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_ARGUMENTS)
        try:
            return measure_screens(browser, seconds=seconds, say=say)
        finally:
            browser.close()


def _chromium() -> tuple[str, Any]:
    program = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    if program is None:
        raise GateError("no Chromium is installed: apt-get install chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise GateError("playwright is not installed: pip install 'tongguan[dev]'") from None
    return program, sync_playwright


def measure_viewer(*, rounds: int, say: Any = lambda _words: None) -> Viewer:
    """Open the page of two roles on one case and measure; ``rounds`` of loading the picture and of drawing marks."""
    program, sync_playwright = _chromium()
    scan = make_scan(3, size_px=SIZE_PX)
    pictures = {"xray_high": png16(scan.high, pixel_mm=PIXEL_MM), "xray_low": png16(scan.low, pixel_mm=PIXEL_MM)}
    say("starting broker, hub and browser …")
    with BenchPort() as port, sync_playwright() as playwright:
        attachments = tuple(port.keep_picture(kind, content, CASE) for kind, content in pictures.items())
        findings = [
            Finding(code="cargo.scan", outcome=Outcome.REFER, stage=Stage.EXIT, role=role, measured="bench")
            for role in ("customs", "quarantine")
        ]
        port.refer(CASE, *findings, attachments=attachments)
        browser = playwright.chromium.launch(executable_path=program, args=_ARGUMENTS)
        try:
            say("measuring …")
            return _measure(port, browser, rounds=rounds, picture_bytes=len(pictures["xray_high"]))
        finally:
            browser.close()


def _measure(port: BenchPort, browser: Browser, *, rounds: int, picture_bytes: int) -> Viewer:
    page = _open(port, browser, "customs")
    first_ms = []
    for _ in range(rounds):
        page.reload()
        page.wait_for_function(_READY)
        first_ms.append(float(page.evaluate("() => document.querySelector('.xray-host').viewer.firstPictureMs")))
    name = str(page.evaluate("() => document.querySelector('.xray-host').viewer.renderer.name"))
    pans = [float(page.evaluate(_PAN, [PAN_S, scale])) for scale in (0, 1)]
    other = _open(port, browser, "quarantine")
    mark_ms = []
    for number in range(1, rounds + 1):
        drawn_ms = page.evaluate(_DRAW)
        mark_ms.append(float(other.evaluate(_SEEN, number) - drawn_ms))
    return Viewer(
        pan_frames_per_s=min(pans),
        first_picture_ms=statistics.median(first_ms),
        first_picture_worst_ms=max(first_ms),
        mark_ms=statistics.median(mark_ms),
        mark_worst_ms=max(mark_ms),
        size_px=SIZE_PX,
        picture_bytes=picture_bytes,
        gl=name,
        is_software_gl="swiftshader" in name.lower() or "llvmpipe" in name.lower(),
    )


def _open(port: BenchPort, browser: Browser, role: str) -> Page:
    login = port.logins[role]
    context = browser.new_context(viewport={"width": VIEWPORT_PX[0], "height": VIEWPORT_PX[1]})
    page = context.new_page()
    page.set_default_timeout(60_000)
    path = f"/role/{role}"
    page.goto(port.url + path)
    page.get_by_test_id("login-user").fill(login.user)
    page.get_by_test_id("login-password").fill(login.password)
    page.get_by_test_id("login-submit").click()
    page.wait_for_url(f"**{path}")
    page.wait_for_function(_READY)
    return page


def _rounded(value: object) -> object:
    return round(value, 2) if isinstance(value, float) else value
