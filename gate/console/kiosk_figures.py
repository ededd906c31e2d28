"""What the kiosk's pictures are put together from: people, doors, documents, a head, an officer, as pieces of SVG."""

FLOOR = '<rect x="0" y="312" width="400" height="88" class="floor"/>'

READER = """
<path d="M70 330 H330 V350 Q330 362 318 362 H82 Q70 362 70 350 Z" class="slab-side"/>
<path d="M112 212 Q114 202 124 202 H276 Q286 202 288 212 L330 330 H70 Z" class="slab"/>
<path d="M128 216 H272 L306 318 H94 Z" class="glass-lit"/>"""

PASSPORT_FACE = """
  <g>
    <rect x="122" y="120" width="156" height="112" rx="8" class="cover"/>
    <rect x="130" y="128" width="140" height="96" rx="4" class="paper"/>
    <rect x="140" y="138" width="40" height="50" rx="3" class="photo"/>
    <circle cx="160" cy="156" r="9" class="figure"/>
    <path d="M144 188 Q144 170 160 170 Q176 170 176 188 Z" class="figure"/>
    <path d="M190 146 H258 M190 160 H246 M190 174 H252" class="print"/>
    <path d="M140 204 H260 M140 214 H260" class="mrz-print"/>
  </g>"""

PASSPORT_BACK = """
  <g>
    <rect x="122" y="120" width="156" height="112" rx="8" class="cover"/>
    <circle cx="200" cy="166" r="22" class="gilt"/>
    <path d="M178 166 H222 M200 144 V188 M186 152 Q200 166 186 180 M214 152 Q200 166 214 180" class="gilt"/>
    <path d="M168 208 H232" class="gilt"/>
  </g>"""

OFFICER = """
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


def person(x_px: float, *, is_walking: bool = True, is_turned: bool = False, extra: str = "") -> str:
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


def doorway(*, leaf: str) -> str:
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


def chevrons(x_px: float, y_px: float, *, angle_deg: int = 0) -> str:
    """Three arrow heads that light up one after the other, to the right at 0 degrees, downwards at 90."""
    return f"""
<g transform="translate({x_px} {y_px}) rotate({angle_deg})" class="chevrons">
  <path d="M-34 -14 L-20 0 L-34 14"/><path d="M-8 -14 L6 0 L-8 14"/><path d="M18 -14 L32 0 L18 14"/>
</g>"""


def head() -> str:
    """A head about (200, 222) with what hints take off it or change in it; which of it is seen and moves is the page's style."""
    return """
<g class="head">
  <path d="M136 216 Q134 132 200 130 Q266 132 264 216 Q266 250 252 262 H148 Q134 250 136 216 Z" class="hair"/>
  <path d="M142 214 Q142 148 200 148 Q258 148 258 214 Q258 286 200 308 Q142 286 142 214 Z" class="skin"/>
  <path d="M142 208 Q146 156 200 154 Q254 156 258 208 Q238 176 196 176 Q160 176 142 208 Z" class="hair"/>
  <g class="features">
    <g class="eyes"><ellipse cx="174" cy="220" rx="8" ry="9" class="ink"/><ellipse cx="226" cy="220" rx="8" ry="9" class="ink"/></g>
    <path d="M200 226 L195 248 L204 249" class="smile"/><path d="M180 272 Q200 284 220 272" class="smile mouth"/>
    <ellipse cx="200" cy="276" rx="13" ry="11" class="open-mouth"/>
    <g class="glasses"><circle cx="172" cy="220" r="23"/><circle cx="228" cy="220" r="23"/>
      <path d="M195 217 Q200 213 205 217 M149 215 L141 211 M251 215 L259 211"/></g>
    <path d="M150 246 Q200 232 250 246 L246 272 Q226 300 200 302 Q174 300 154 272 Z M150 248 L141 226 M250 248 L259 226" class="mask"/>
  </g>
  <path d="M142 214 Q142 148 200 148 Q258 148 258 214 Q258 286 200 308 Q142 286 142 214 Z" class="shade"/>
</g>"""
