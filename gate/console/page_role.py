"""An officer's screen: one case at a glance, the other roles' words always in sight, one key for each answer."""

from fastapi.responses import RedirectResponse
from nicegui import app as pages
from nicegui import ui

from config.schema import Role
from gate.console.assets import serve
from gate.console.context import Console, browser_id, officer_of, to_login
from gate.console.i18n import Words
from gate.console.parts import box, link, set_style, text
from gate.console.pulse import Pulse
from gate.console.role_screen import RoleScreen
from gate.console.sessions import Officer
from gate.console.spoken import role_title, title_of


def register(console: Console) -> None:
    """Register ``/role/{role}``."""
    style_url, script_url = serve("role.css"), serve("officer.js")
    pulse = Pulse(console.hub.is_answering, console.clock)
    pages.on_startup(pulse.start)
    pages.on_shutdown(pulse.stop)

    @ui.page("/role/{role}", dark=True)
    def role_page(role: str) -> RedirectResponse | None:
        officer = officer_of(console)
        if officer is None:
            return to_login(f"/role/{role}")
        words = console.words()
        console.dress("control-room", words)
        ui.add_head_html(f'<link rel="stylesheet" href="{style_url}"><script defer src="{script_url}"></script>')
        found = console.role(role)
        if found is None or role not in officer.roles:
            _draw_not_yours(console, officer, found, words)
            return None
        ui.page_title(f"{found.title} {found.title_zh}")
        with box("role-screen", testid="role-screen") as root:
            set_style(root, role=found.colour)
            RoleScreen(console, found, browser_id(), words, pulse=pulse, root=root)
        return None


def _draw_not_yours(console: Console, officer: Officer, role: Role | None, words: Words) -> None:
    with box("login-page"), box("login-card", testid="not-yours"):
        name = title_of(role, words) if role is not None else words("role.unknown")
        text(words("role.not_yours", role=name), "brand small")
        own = [role_title(console.site, role_id, words) for role_id in sorted(officer.roles)]
        roles = ", ".join(own) or words("role.no_role")
        text(words("role.signed_in_with", name=officer.name, roles=roles), "subtitle")
        for mine in console.site.roles:
            if mine.id in officer.roles:
                link(words("role.open", role=title_of(mine, words)), f"/role/{mine.id}", "plain-link")
        link(words("role.somebody_else"), "/logout", "plain-link")
