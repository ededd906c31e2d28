"""The way in: an index of the screens, and signing in and out."""

from urllib.parse import quote

from fastapi import Request
from fastapi.responses import RedirectResponse
from nicegui import app as pages
from nicegui import ui

from gate.console.context import LANGUAGE_KEY, Console, browser_id, officer_of
from gate.console.hub_client import LinkLost, Refusal
from gate.console.i18n import LANGUAGES, Words, words_of
from gate.console.parts import box, button, link, set_enabled, set_style, text
from gate.console.sessions import Officer
from gate.console.spoken import role_title

BRAND = "Tongguan 通关"


def register(console: Console) -> None:
    """Register ``/``, ``/login`` and ``/logout``."""

    @ui.page("/", dark=True)
    def index() -> None:
        words = console.words()
        console.dress("control-room", words)
        _draw_index(console, officer_of(console), words)

    @ui.page("/login", dark=True)
    def login(next: str = "") -> RedirectResponse | None:
        words = console.words()
        console.dress("control-room", words)
        ui.page_title(words("login.title"))
        _LoginForm(console, browser_id(), words, target=safe_target(next))
        return None

    @pages.get("/language/{language}")
    def language(language: str, request: Request, next: str = "") -> RedirectResponse:
        officer = console.sessions.officer(str(request.session.get("id", "")))
        if officer is not None:
            console.languages.choose(officer.user, language)
        elif language in LANGUAGES:
            request.session[LANGUAGE_KEY] = language
        return RedirectResponse(safe_target(next) or "/")

    @ui.page("/logout")
    async def logout() -> RedirectResponse:
        officer = console.sessions.leave(browser_id())
        if officer is not None:
            await console.hub.logout(officer.token)
        return RedirectResponse("/")


def safe_target(path: str) -> str | None:
    """``path`` when it is a path of this site; None for anything that could lead elsewhere."""
    is_path = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if is_path else None


def home_of(officer: Officer, console: Console) -> str:
    """The screen an officer most likely wants."""
    screens = [role.id for role in console.site.roles if role.id in officer.roles]
    if len(screens) == 1:
        return f"/role/{screens[0]}"
    return "/lanes" if not screens and officer.may_command_lanes else "/"


def _draw_languages(words: Words, target: str) -> None:
    """The other languages, each by its own name."""
    for language, name in LANGUAGES.items():
        if language != words.language:
            other = link(name, f"/language/{language}?next={quote(target, safe='')}", "plain-link")
            other.props["lang"] = language.replace("_", "-")


def _draw_index(console: Console, officer: Officer | None, words: Words) -> None:
    with box("index"):
        with box("index-head"):
            text(BRAND, "brand")
            text(console.site.port.title, "subtitle")
            with box("index-user"):
                _draw_languages(words, "/")
                if officer is None:
                    link(words("login.sign_in"), "/login", "plain-link")
                else:
                    roles = ", ".join(role_title(console.site, role, words) for role in sorted(officer.roles))
                    text(f"{officer.name} · {roles}", "dim")
                    link(words("head.sign_out"), "/logout", "plain-link")
        text(words("index.officers"), "section")
        with box("tiles"):
            for role in console.site.roles:
                with link("", f"/role/{role.id}", "tile") as tile:
                    set_style(tile, role=role.colour)
                    text(role.title, "tile-title")
                    text(role.title_zh, "tile-sub")
            with link("", "/lanes", "tile tile-lanes"):
                text(words_of("en")("index.lanes"), "tile-title")
                text(words_of("zh_CN")("index.lanes"), "tile-sub")
        text(words("index.kiosks"), "section")
        with box("tiles"):
            for lane in console.site.lanes:
                with link("", f"/kiosk/{lane.id}", "tile tile-kiosk"):
                    text(lane.title or lane.id, "tile-title")
                    text(f"/kiosk/{lane.id}", "tile-sub")


class _LoginForm:
    def __init__(self, console: Console, browser: str, words: Words, *, target: str | None) -> None:
        self._console = console
        self._browser = browser
        self._words = words
        self._target = target
        with box("login-page"), box("login-card"):
            text(BRAND, "brand")
            text(console.site.port.title, "subtitle")
            self._user = ui.input(words("login.user")).props(
                'outlined dark autofocus autocomplete=username data-testid="login-user"'
            )
            self._password = ui.input(words("login.password"), password=True).props(
                'outlined dark autocomplete=current-password data-testid="login-password"'
            )
            self._problem = text("", "login-problem", testid="login-problem")
            self._problem.props["role"] = "alert"
            self._button = button(words("login.sign_in"), self._enter, "btn-primary", testid="login-submit")
            with box("login-languages"):
                _draw_languages(words, f"/login?next={quote(target, safe='')}" if target else "/login")
        for field in (self._user, self._password):
            field.classes("login-field").on("keydown.enter", self._enter, args=[])

    async def _enter(self) -> None:
        set_enabled(self._button, False)
        try:
            await self._try(str(self._user.value or "").strip(), str(self._password.value or ""))
        finally:
            set_enabled(self._button, True)

    async def _try(self, user: str, password: str) -> None:
        if not user or not password:
            self._problem.set_text(self._words("login.empty"))
            return
        answer = await self._console.hub.login(user, password)
        if isinstance(answer, LinkLost):
            self._problem.set_text(self._words("login.no_hub"))
        elif isinstance(answer, Refusal):
            self._problem.set_text(self._words("login.limited" if answer.status == 429 else "login.wrong"))
        else:
            officer = Officer.of(answer)
            self._console.sessions.enter(self._browser, officer)
            ui.navigate.to(self._target or home_of(officer, self._console))
