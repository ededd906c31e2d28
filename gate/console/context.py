"""What every page is handed."""

import json
from dataclasses import dataclass

from fastapi.responses import RedirectResponse
from nicegui import app as pages
from nicegui import ui

from config.schema import Role, Site
from gate.console.help_desk import HelpDesk
from gate.console.hub_client import HubClient, LinkLost, Refusal
from gate.console.hub_models import CasePage
from gate.console.i18n import LANGUAGES, Words, spoken_first, words_of
from gate.console.languages import ChosenLanguages
from gate.console.live import Live
from gate.console.sessions import Officer, Sessions
from gate.console.shared_answer import SharedAnswer
from gate.console.texts import Texts
from gate.core.clock import Clock

LANGUAGE_KEY = "language"
"""Under which a browser's session keeps what was chosen before anybody signed in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """One site's console, from start to stop."""

    site: Site
    clock: Clock
    hub: HubClient
    open_cases: SharedAnswer[CasePage | Refusal | LinkLost]
    """The hub's open cases, asked for once for all screens whose officers may see the same."""

    live: Live
    help_desk: HelpDesk
    sessions: Sessions
    texts: Texts
    languages: ChosenLanguages
    style_url: str
    script_url: str

    def role(self, role_id: str) -> Role | None:
        """The role of that id, if the site has one."""
        return next((role for role in self.site.roles if role.id == role_id), None)

    def role_title(self, role_id: str) -> str:
        role = self.role(role_id)
        return role.title if role is not None else role_id

    def lane_title(self, lane_id: str) -> str:
        lane = self.site.lane(lane_id)
        return (lane.title or lane.id) if lane is not None else lane_id

    def words(self) -> Words:
        """The sentences in the language of whoever asks for the page being built: what the officer chose, the browser, or English."""
        officer = officer_of(self)
        chosen = self.languages.of(officer.user) if officer is not None else None
        session = pages.storage.browser.get(LANGUAGE_KEY)
        if chosen is None and session in LANGUAGES:
            chosen = str(session)
        request = ui.context.client.request
        return words_of(chosen or spoken_first(request.headers.get("accept-language", "")))

    def dress(self, body_classes: str, words: Words | None = None) -> None:
        """Our style and script for the page that is being built, and the language that it is in."""
        if words is not None:
            lost = json.dumps(words("page.lost"), ensure_ascii=False)
            ui.add_head_html(f"<style>:root {{ --lost: {lost} }}</style>")
            ui.add_head_html(f'<script>document.documentElement.lang = "{words.tag}"</script>')
        ui.add_head_html(f'<link rel="stylesheet" href="{self.style_url}">')
        ui.add_head_html(f'<script defer src="{self.script_url}"></script>')
        ui.query("body").classes(body_classes)


def browser_id() -> str:
    """The signed name of the browser that asks for the page being built."""
    return str(pages.storage.browser["id"])


def officer_of(console: Console) -> Officer | None:
    """The officer at the browser that asks for the page being built."""
    return console.sessions.officer(browser_id())


def to_login(target: str) -> RedirectResponse:
    """Sign in first, then come back to ``target`` (a path of ours)."""
    return RedirectResponse(f"/login?next={target}")
