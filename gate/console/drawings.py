"""The pictures of the kiosk and of the lane overview, drawn here as SVG; motion is in ``style.css`` (and stops where asked to).

Each kiosk drawing fills a circle of radius 200 in a 400 x 400 view. Colours come from the page: ``--lane`` is the lane's colour.
"""

from gate.wire.messages import KioskStep

RING_LENGTH_PX = 1220.0
"""The circumference of the progress ring (radius about 194.2) in the units of its view."""

_FLOOR = '<rect x="0" y="312" width="400" height="88" class="floor"/>'

_READER = """
<path d="M70 330 H330 V350 Q330 362 318 362 H82 Q70 362 70 350 Z" class="slab-side"/>
<path d="M112 212 Q114 202 124 202 H276 Q286 202 288 212 L330 330 H70 Z" class="slab"/>
<path d="M128 216 H272 L306 318 H94 Z" class="glass-lit"/>"""

_PASSPORT = """
  <g>
    <rect x="122" y="120" width="156" height="112" rx="8" class="cover"/>
    <rect x="130" y="128" width="140" height="96" rx="4" class="paper"/>
    <rect x="140" y="138" width="40" height="50" rx="3" class="photo"/>
    <circle cx="160" cy="156" r="9" class="figure"/>
    <path d="M144 188 Q144 170 160 170 Q176 170 176 188 Z" class="figure"/>
    <path d="M190 146 H258 M190 160 H246 M190 174 H252" class="print"/>
    <path d="M140 204 H260 M140 214 H260" class="mrz-print"/>
  </g>"""


def _person(x_px: float, *, is_walking: bool = True, is_turned: bool = False, extra: str = "") -> str:
    """A standing or walking figure, feet at y = 330."""
    motion = "walker" if is_walking else ""
    turn = "scale(-1 1)" if is_turned else ""
    return f"""
<g transform="translate({x_px} 330)"><g class="{extra}"><g transform="{turn}" class="{motion}">
  <g class="leg back"><path d="M0 -78 L0 -40 L-2 -4" /></g>
  <g class="leg front"><path d="M0 -78 L2 -40 L4 -4" /></g>
  <g class="arm back"><path d="M0 -132 L-4 -104 L2 -80" /></g>
  <path d="M-17 -134 Q0 -150 17 -134 L14 -74 Q0 -66 -14 -74 Z" class="figure"/>
  <g class="arm front"><path d="M0 -132 L5 -104 L14 -84" /></g>
  <circle cx="3" cy="-166" r="20" class="figure"/>
</g></g></g>"""


def _doorway(*, leaf: str) -> str:
    """A gate of two posts with a glass leaf between them; ``leaf`` is the leaf's motion class."""
    return f"""
<g transform="translate(200 0)">
  <rect x="-76" y="96" width="18" height="236" rx="6" class="post"/>
  <rect x="58" y="96" width="18" height="236" rx="6" class="post"/>
  <rect x="-84" y="84" width="168" height="18" rx="9" class="post"/>
  <g class="{leaf}"><rect x="-57" y="106" width="56" height="222" rx="3" class="leaf left"/>
  <rect x="1" y="106" width="56" height="222" rx="3" class="leaf right"/></g>
  <circle cx="0" cy="93" r="5" class="signal"/>
</g>"""


def _chevrons(x_px: float, y_px: float, *, angle_deg: int = 0) -> str:
    return f"""
<g transform="translate({x_px} {y_px}) rotate({angle_deg})" class="chevrons">
  <path d="M-34 -14 L-20 0 L-34 14"/><path d="M-8 -14 L6 0 L-8 14"/><path d="M18 -14 L32 0 L18 14"/>
</g>"""


_OFFICER = """
<g class="officer">
  <path d="M112 330 Q112 232 200 232 Q288 232 288 330 Z" class="uniform"/>
  <path d="M186 232 L200 262 L214 232 Z" class="paper"/>
  <path d="M196 252 L204 252 L207 300 L200 310 L193 300 Z" class="tie"/>
  <circle cx="200" cy="182" r="50" class="skin"/>
  <path d="M146 166 Q150 118 200 118 Q250 118 254 166 Q226 154 200 154 Q174 154 146 166 Z" class="cap"/>
  <path d="M150 166 Q200 146 250 166 Q246 178 200 170 Q154 178 150 166 Z" class="peak"/>
  <circle cx="200" cy="138" r="8" class="badge"/>
  <circle cx="182" cy="188" r="4" class="ink"/><circle cx="218" cy="188" r="4" class="ink"/>
  <path d="M184 206 Q200 218 216 206" class="smile"/>
  <path d="M142 282 h34" class="tag"/>
</g>"""

_DRAWINGS: dict[KioskStep, str] = {
    KioskStep.PLACE_DOCUMENT: f"""{_FLOOR}{_READER}
<g class="laying"><g transform="translate(-40 156) scale(1.2 0.62)">{_PASSPORT}</g></g>
{_chevrons(338, 190, angle_deg=90)}{_chevrons(62, 190, angle_deg=90)}""",
    KioskStep.READING_DOCUMENT: f"""{_FLOOR}
<g transform="translate(-60 -40) scale(1.3)">{_PASSPORT}</g>
<rect x="84" y="112" width="232" height="10" rx="5" class="scan"/>""",
    KioskStep.WALK_IN: f"{_FLOOR}{_doorway(leaf='opening')}{_person(0, extra='passing')}{_chevrons(200, 366)}",
    KioskStep.LOOK_AT_CAMERA: """
<g class="camera-unit"><rect x="150" y="30" width="100" height="44" rx="22" class="post"/>
  <circle cx="200" cy="52" r="15" class="lens"/><circle cx="200" cy="52" r="6" class="lens-glint"/></g>
<path d="M200 84 L120 200 M200 84 L280 200" class="gaze"/>
<ellipse cx="200" cy="228" rx="92" ry="116" class="oval"/>
<path d="M138 216 Q138 146 200 146 Q262 146 262 216 Q262 290 200 314 Q138 290 138 216 Z" class="skin"/>
<path d="M136 212 Q132 132 200 130 Q268 132 264 212 Q252 172 200 170 Q148 172 136 212 Z" class="hair"/>
<g class="eyes"><ellipse cx="174" cy="218" rx="8" ry="9" class="ink"/><ellipse cx="226" cy="218" rx="8" ry="9" class="ink"/></g>
<path d="M200 226 L194 250 L204 250" class="smile"/><path d="M180 274 Q200 286 220 274" class="smile"/>""",
    KioskStep.WAIT_FOR_OFFICER: f"""{_OFFICER}<rect x="0" y="330" width="400" height="70" class="floor"/>
<g class="dots"><circle cx="170" cy="358" r="8"/><circle cx="200" cy="358" r="8"/><circle cx="230" cy="358" r="8"/></g>""",
    KioskStep.WALK_OUT: f"""{_FLOOR}{_doorway(leaf="opened")}{_person(0, extra="passing")}{_chevrons(200, 366)}
<g class="tick"><circle cx="200" cy="50" r="26"/><path d="M188 50 L197 60 L213 40"/></g>""",
    KioskStep.WALK_BACK: f"""{_FLOOR}{_doorway(leaf="opened")}{_person(0, is_turned=True, extra="passing-back")}
{_chevrons(200, 366, angle_deg=180)}""",
    KioskStep.GO_TO_DESK: f"""{_FLOOR}<g transform="translate(110 26) scale(0.78)">{_OFFICER}</g>
<path d="M166 262 H366 V340 H166 Z" class="desk"/><path d="M156 250 H376 V266 H156 Z" class="desk-top"/>
{_person(84, is_walking=False)}{_chevrons(200, 366)}""",
    KioskStep.PLEASE_WAIT: """
<g class="spinner"><circle cx="200" cy="108" r="17"/><circle cx="265" cy="135" r="15"/><circle cx="292" cy="200" r="13"/>
  <circle cx="265" cy="265" r="11"/><circle cx="200" cy="292" r="9"/><circle cx="135" cy="265" r="7"/>
  <circle cx="108" cy="200" r="6"/><circle cx="135" cy="135" r="5"/></g>""",
    KioskStep.OUT_OF_SERVICE: f"""{_FLOOR}{_doorway(leaf="shut")}
<g class="closed-sign"><rect x="130" y="176" width="140" height="52" rx="26"/><path d="M158 202 H242"/></g>""",
    KioskStep.EMERGENCY: f"""{_FLOOR}
<rect x="120" y="70" width="160" height="262" rx="8" class="exit-door"/>{_person(200, extra="hurrying")}
{_chevrons(68, 220, angle_deg=180)}{_chevrons(332, 220)}""",
}


def kiosk_drawing(step: KioskStep) -> str:
    """The animation of one step, as an SVG that fills its box."""
    return (
        '<svg viewBox="0 0 400 400" role="img" aria-hidden="true" class="step-drawing">'
        '<defs><clipPath id="disc"><circle cx="200" cy="200" r="182"/></clipPath></defs>'
        f'<circle cx="200" cy="200" r="182" class="disc"/><g clip-path="url(#disc)">{_DRAWINGS[step]}</g></svg>'
    )


def progress_ring() -> str:
    """The ring around the drawing; its filling is the CSS variable ``--progress`` (0 to 1)."""
    return (
        '<svg viewBox="0 0 400 400" aria-hidden="true" class="progress-ring">'
        '<circle cx="200" cy="200" r="194.2" class="track"/><circle cx="200" cy="200" r="194.2" class="filled"/></svg>'
    )


def arrow(name: str) -> str:
    """The arrow of a hint (``left``, ``right``, ``up``, ``down``, ``come_closer``, ``step_back``, ``turn_head``), or a face."""
    shapes = {
        "left": '<path d="M52 32 H14 M28 16 L12 32 L28 48"/>',
        "right": '<path d="M12 32 H50 M36 16 L52 32 L36 48"/>',
        "turn_head": '<ellipse cx="32" cy="30" rx="12" ry="16"/><path d="M20 54 Q32 60 44 54 M9 40 Q3 30 9 20 M4 22 L9 18 L14 23'
        ' M55 40 Q61 30 55 20 M50 23 L55 18 L60 22"/>',
        "up": '<path d="M32 52 V14 M16 28 L32 12 L48 28"/>',
        "down": '<path d="M32 12 V50 M16 36 L32 52 L48 36"/>',
        "come_closer": '<ellipse cx="32" cy="32" rx="9" ry="12"/><path d="M19 17 L7 7 M7 17 V7 H17 M45 17 L57 7 M47 7 H57 V17'
        ' M19 47 L7 57 M7 47 V57 H17 M45 47 L57 57 M47 57 H57 V47"/>',
        "step_back": '<ellipse cx="32" cy="32" rx="7" ry="9"/><path d="M6 6 L18 16 M8 17 H19 V6 M58 6 L46 16 M45 6 V17 H56'
        ' M6 58 L18 48 M8 47 H19 V58 M58 58 L46 48 M45 58 V47 H56"/>',
    }
    return f'<svg viewBox="0 0 64 64" aria-hidden="true">{shapes.get(name, _FACE_HINT)}</svg>'


_FACE_HINT = '<ellipse cx="32" cy="32" rx="18" ry="23"/><path d="M25 29 v1 M39 29 v1 M25 42 Q32 46 39 42"/>'


def lane_plan(*, entry: str, exit_: str, person_count: int | None) -> str:
    """A lane from above: entry on the left, exit on the right, each door where it stands, and who is inside."""
    people = "".join(
        _head(150 + 34 * (index - (min(person_count or 0, 3) - 1) / 2)) for index in range(min(person_count or 0, 3))
    )
    unknown = '<text x="150" y="68" class="unknown">?</text>' if person_count is None else ""
    return (
        '<svg viewBox="0 0 300 120" aria-hidden="true" class="lane-plan">'
        '<rect x="14" y="20" width="272" height="14" rx="5" class="wall"/>'
        '<rect x="14" y="86" width="272" height="14" rx="5" class="wall"/>'
        '<rect x="62" y="34" width="176" height="52" class="inside"/>'
        '<path d="M22 60 H44 M36 53 L44 60 L36 67 M256 60 H278 M270 53 L278 60 L270 67" class="way"/>'
        f"{_door(60, entry)}{_door(240, exit_)}{people}{unknown}</svg>"
    )


def _door(x_px: int, position: str) -> str:
    """Two leaves across the lane: shut they meet, open they stand along the walls."""
    kind = position if position in {"open", "closed", "opening", "closing", "jammed", "forced"} else "unknown"
    return (
        f'<g class="door door-{kind}"><rect x="{x_px - 4}" y="34" width="8" height="26" class="half upper"/>'
        f'<rect x="{x_px - 4}" y="60" width="8" height="26" class="half lower"/></g>'
    )


def _head(x_px: float) -> str:
    return (
        f'<g class="head"><ellipse cx="{x_px:.0f}" cy="60" rx="10" ry="18"/><circle cx="{x_px:.0f}" cy="60" r="9"/></g>'
    )
