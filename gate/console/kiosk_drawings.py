"""The pictures of the kiosk, drawn here as SVG; their motion is in ``kiosk.css``, and stops where less motion is asked for.

Each fills a circle of radius 200 in a 400 x 400 view. Colours are variables of the page: ``--lane`` is the lane's colour. Pictures of
walking are turned about for languages that run from right to left; a face never is: left stays left.
"""

from gate.console.kiosk_figures import (
    FLOOR,
    OFFICER,
    PASSPORT_BACK,
    PASSPORT_FACE,
    READER,
    chevrons,
    doorway,
    head,
    person,
)
from gate.wire.messages import KioskStep

MOTIONS = frozenset(
    {
        "come_closer",
        "step_back",
        "left",
        "right",
        "up",
        "down",
        "move_into_view",
        "hold_still",
        "too_dark",
        "too_bright",
        "one_person_only",
        "remove_glasses",
        "remove_mask",
        "open_eyes",
        "relax_face",
        "look_at_camera",
        "turn_head",
    }
)
"""The hints that the drawn face shows how to follow."""

_WALKS = frozenset({KioskStep.WALK_IN, KioskStep.WALK_OUT, KioskStep.WALK_BACK, KioskStep.GO_TO_DESK})

_OVAL = '<ellipse cx="200" cy="222" rx="98" ry="124" class="oval"/>'

_CAMERA = """
<g class="camera-unit"><rect x="152" y="26" width="96" height="42" rx="21" class="post"/>
  <circle cx="200" cy="47" r="14" class="lens"/><circle cx="200" cy="47" r="6" class="lens-glint"/></g>
<path d="M200 76 L128 176 M200 76 L272 176" class="gaze"/>"""

_DRAWINGS: dict[KioskStep, str] = {
    KioskStep.PLACE_DOCUMENT: f"""{FLOOR}{READER}
<g class="turning"><g class="face-side">{PASSPORT_FACE}</g><g class="back-side">{PASSPORT_BACK}</g></g>
<path d="M296 92 Q336 128 306 168 M322 160 L305 170 L300 150" class="turn-arrow"/>
{chevrons(338, 214, angle_deg=90)}{chevrons(62, 214, angle_deg=90)}""",
    KioskStep.READING_DOCUMENT: f"""{FLOOR}{READER}
<g transform="translate(-60 154) scale(1.3 0.62)">{PASSPORT_BACK}</g>
<path d="M120 222 H280 L284 236 H116 Z" class="scan"/>
<g class="waves"><path d="M170 168 Q200 138 230 168"/><path d="M150 146 Q200 96 250 146"/><path d="M130 124 Q200 54 270 124"/></g>
<g class="hands-off"><circle cx="200" cy="92" r="34"/><path d="M186 78 V106 M214 78 V106"/></g>""",
    KioskStep.WALK_IN: f"{FLOOR}{doorway(leaf='opening')}{person(0, extra='passing')}{chevrons(200, 366)}",
    KioskStep.LOOK_AT_CAMERA: f"{_CAMERA}{_OVAL}<g class='bystander'>{head()}</g><g class='self'>{head()}</g>",
    KioskStep.WAIT_FOR_OFFICER: f"""{OFFICER}<rect x="0" y="330" width="400" height="70" class="floor"/>
<g class="dots"><circle cx="170" cy="358" r="8"/><circle cx="200" cy="358" r="8"/><circle cx="230" cy="358" r="8"/></g>""",
    KioskStep.WALK_OUT: f"""{FLOOR}{doorway(leaf="opened")}{person(0, extra="passing")}{chevrons(200, 366)}
<g class="tick"><circle cx="200" cy="50" r="26"/><path d="M188 50 L197 60 L213 40"/></g>""",
    KioskStep.WALK_BACK: f"""{FLOOR}{doorway(leaf="opened")}{person(0, is_turned=True, extra="passing-back")}
{chevrons(200, 366, angle_deg=180)}""",
    KioskStep.GO_TO_DESK: f"""{FLOOR}<g transform="translate(110 26) scale(0.78)">{OFFICER}</g>
<path d="M166 262 H366 V340 H166 Z" class="desk"/><path d="M156 250 H376 V266 H156 Z" class="desk-top"/>
{person(84, is_walking=False)}{chevrons(200, 366)}""",
    KioskStep.PLEASE_WAIT: """
<g class="spinner"><circle cx="200" cy="108" r="17"/><circle cx="265" cy="135" r="15"/><circle cx="292" cy="200" r="13"/>
  <circle cx="265" cy="265" r="11"/><circle cx="200" cy="292" r="9"/><circle cx="135" cy="265" r="7"/>
  <circle cx="108" cy="200" r="6"/><circle cx="135" cy="135" r="5"/></g>""",
    KioskStep.OUT_OF_SERVICE: f"""{FLOOR}{doorway(leaf="shut")}
<g class="closed-sign"><rect x="130" y="176" width="140" height="52" rx="26"/><path d="M158 202 H242"/></g>""",
    KioskStep.EMERGENCY: f"""{FLOOR}
<rect x="120" y="70" width="160" height="262" rx="8" class="exit-door"/>{person(200, extra="hurrying")}
{chevrons(68, 220, angle_deg=180)}{chevrons(332, 220)}""",
}


def kiosk_drawing(step: KioskStep, hint: str | None = None) -> str:
    """The animation of one step, as an SVG that fills its box; at the camera it shows how to follow ``hint``."""
    motion = f" do-{hint}" if hint in MOTIONS else ""
    turned = " follows-writing" if step in _WALKS else ""
    return (
        f'<svg viewBox="0 0 400 400" aria-hidden="true" class="step-drawing{motion}{turned}">'
        f'<defs><clipPath id="disc-{step}"><circle cx="200" cy="200" r="182"/></clipPath></defs>'
        f'<circle cx="200" cy="200" r="182" class="disc"/><g clip-path="url(#disc-{step})">{_DRAWINGS[step]}</g></svg>'
    )


def mirror_frame(hint: str | None) -> str:
    """What lies over the traveller's own picture: the oval to fill, and an arrow for the hints that are a direction."""
    arrows = {
        "left": '<path d="M92 200 H28 M54 172 L26 200 L54 228"/>',
        "right": '<path d="M308 200 H372 M346 172 L374 200 L346 228"/>',
        "up": '<path d="M200 84 V28 M174 52 L200 26 L226 52"/>',
        "down": '<path d="M200 316 V372 M174 348 L200 374 L226 348"/>',
        "come_closer": '<path d="M112 112 L74 74 M74 104 V74 H104 M288 112 L326 74 M296 74 H326 V104'
        ' M112 288 L74 326 M74 296 V326 H104 M288 288 L326 326 M326 296 V326 H296"/>',
        "step_back": '<path d="M74 74 L112 112 M82 112 H112 V82 M326 74 L288 112 M288 82 V112 H318'
        ' M74 326 L112 288 M82 288 H112 V318 M326 326 L288 288 M318 288 H288 V318"/>',
    }
    arrows["move_into_view"] = arrows["step_back"]
    wanted = f'<g class="way-to-go">{arrows[hint]}</g>' if hint in arrows else ""
    return (
        '<svg viewBox="0 0 400 400" aria-hidden="true" class="mirror-frame">'
        '<path fill-rule="evenodd" d="M0 0 H400 V400 H0 Z M200 72 A104 134 0 0 1 200 340 A104 134 0 0 1 200 72 Z" class="veil"/>'
        f'<ellipse cx="200" cy="206" rx="104" ry="134" class="oval"/>{wanted}</svg>'
    )


def progress_ring() -> str:
    """The ring around the drawing; its filling is the CSS variable ``--progress`` (0 to 1)."""
    return _ring("progress-ring", 194.2)


def chip_ring() -> str:
    """The ring within it that fills while a chip is read; its filling is ``--chip`` (0 to 1)."""
    return _ring("chip-ring", 176.0)


def _ring(name: str, radius_px: float) -> str:
    circle = f'<circle cx="200" cy="200" r="{radius_px}" pathLength="1"'
    return (
        f'<svg viewBox="0 0 400 400" aria-hidden="true" class="{name}">{circle} class="track"/>'
        f'{circle} class="filled"/></svg>'
    )


def arrow(name: str) -> str:
    """The sign of a hint; a face for one that has none of its own."""
    return f'<svg viewBox="0 0 64 64" aria-hidden="true">{_SIGNS.get(name, _SIGNS["look_at_camera"])}</svg>'


_SIGNS: dict[str, str] = {
    "look_at_camera": '<ellipse cx="32" cy="32" rx="18" ry="23"/><path d="M25 29 v1 M39 29 v1 M25 42 Q32 46 39 42"/>',
    "left": '<path d="M52 32 H14 M28 16 L12 32 L28 48"/>',
    "right": '<path d="M12 32 H50 M36 16 L52 32 L36 48"/>',
    "up": '<path d="M32 52 V14 M16 28 L32 12 L48 28"/>',
    "down": '<path d="M32 12 V50 M16 36 L32 52 L48 36"/>',
    "turn_head": '<ellipse cx="32" cy="30" rx="12" ry="16"/><path d="M20 54 Q32 60 44 54 M9 40 Q3 30 9 20 M4 22 L9 18 L14 23'
    ' M55 40 Q61 30 55 20 M50 23 L55 18 L60 22"/>',
    "come_closer": '<ellipse cx="32" cy="32" rx="9" ry="12"/><path d="M19 17 L7 7 M7 17 V7 H17 M45 17 L57 7 M47 7 H57 V17'
    ' M19 47 L7 57 M7 47 V57 H17 M45 47 L57 57 M47 57 H57 V47"/>',
    "step_back": '<ellipse cx="32" cy="32" rx="7" ry="9"/><path d="M6 6 L18 16 M8 17 H19 V6 M58 6 L46 16 M45 6 V17 H56'
    ' M6 58 L18 48 M8 47 H19 V58 M58 58 L46 48 M45 58 V47 H56"/>',
    "move_into_view": '<ellipse cx="32" cy="32" rx="9" ry="12"/><path d="M4 32 H16 M11 25 L18 32 L11 39 M60 32 H48 M53 25 L46 32 L53 39"/>',
    "hold_still": '<circle cx="32" cy="32" r="24"/><path d="M25 22 V42 M39 22 V42"/>',
    "remove_glasses": '<circle cx="18" cy="40" r="11"/><circle cx="46" cy="40" r="11"/>'
    '<path d="M29 38 Q32 35 35 38 M32 26 V8 M24 15 L32 7 L40 15"/>',
    "remove_mask": '<path d="M14 22 H50 V34 Q50 50 32 50 Q14 50 14 34 Z M14 26 Q4 26 6 36 M50 26 Q60 26 58 36 M22 31 H42 M24 39 H40"/>'
    '<path d="M12 58 L52 6"/>',
    "open_eyes": '<path d="M4 32 Q32 8 60 32 Q32 56 4 32 Z"/><circle cx="32" cy="32" r="8"/>',
    "relax_face": '<ellipse cx="32" cy="32" rx="20" ry="25"/><path d="M24 27 v1 M40 27 v1 M25 43 H39"/>',
    "one_person_only": '<circle cx="32" cy="16" r="9"/><path d="M16 56 V44 Q16 32 32 32 Q48 32 48 44 V56"/>',
    "too_dark": '<circle cx="32" cy="32" r="11"/>'
    '<path d="M32 6 V13 M32 51 V58 M6 32 H13 M51 32 H58 M14 14 L19 19 M45 45 L50 50 M50 14 L45 19 M14 50 L19 45"/>',
    "too_bright": '<circle cx="32" cy="32" r="11"/><path d="M32 6 V13 M32 51 V58 M6 32 H13 M51 32 H58 M8 56 L56 8"/>',
    "turn_document": '<rect x="16" y="14" width="32" height="36" rx="4"/>'
    '<path d="M6 40 Q2 24 12 16 M4 18 L13 15 L14 24 M58 24 Q62 40 52 48 M60 46 L51 49 L50 40"/>',
    "place_flat": '<path d="M8 50 H56 M14 42 H50 V36 H14 Z M32 8 V28 M24 20 L32 28 L40 20"/>',
    "leave_document": '<rect x="12" y="36" width="40" height="18" rx="4"/><path d="M24 28 Q32 20 40 28 M18 20 Q32 6 46 20"/>',
}
