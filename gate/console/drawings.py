"""The pictures of the lane overview, drawn here as SVG; colours come from the page. (The kiosk's: :mod:`gate.console.kiosk_drawings`.)"""


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
