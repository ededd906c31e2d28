"""A kiosk that comes back by itself: after a reload, an outage of its server, or a power cut.

A service worker keeps one small page that needs nobody. When the kiosk's page cannot be fetched, that page is shown instead, in all
languages, and asks until there is an answer. Browsers allow a service worker on ``localhost`` and over https only: kiosks run their
console on their own machine, or reach one over https (``docs/kiosk.md``).
"""

import hashlib
import json
from html import escape

from fastapi import Response
from fastapi.responses import HTMLResponse
from nicegui import app as pages

from gate.console.kiosk_drawings import kiosk_drawing
from gate.console.texts import Texts
from gate.wire.messages import KioskStep

ALIVE_PATH = "/kiosk/alive"
SHELL_PATH = "/kiosk/shell"
WORKER_PATH = "/kiosk/worker.js"
ASK_AGAIN_MS = 1_000
_NETWORK_LIMIT_MS = 5_000


def register(texts: Texts) -> None:
    """Serve the worker, the shell and the sign of life. Before the kiosks' pages, whose addresses begin alike."""
    shell = shell_page(texts)
    worker = worker_script(shell)

    @pages.get(ALIVE_PATH, include_in_schema=False)
    def alive() -> Response:
        return Response(status_code=204, headers={"Cache-Control": "no-store"})

    @pages.get(SHELL_PATH, include_in_schema=False)
    def shell_() -> Response:
        return HTMLResponse(shell, headers={"Cache-Control": "no-cache"})

    @pages.get(WORKER_PATH, include_in_schema=False)
    def worker_() -> Response:
        return Response(worker, media_type="text/javascript", headers={"Cache-Control": "no-cache"})


def shell_page(texts: Texts) -> str:
    """The page that needs nobody: one moment, please, in every language; back to the kiosk as soon as there is an answer."""
    sentences = "\n".join(
        f'<p lang="{language}" dir="{"rtl" if texts.is_right_to_left(language) else "ltr"}">'
        f"{escape(texts.kiosk('please_wait', language))}</p>"
        for language in texts.languages
    )
    return f"""\
<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Tongguan</title><meta name="viewport" content="width=device-width, initial-scale=1">
<style>
html, body {{ height: 100%; margin: 0; overflow: hidden; background: #f5f8fa; color: #14303f; user-select: none; touch-action: none; }}
body {{ box-sizing: border-box; border: 20px solid #9aabb8; display: flex; flex-direction: column; align-items: center;
  justify-content: center; font-family: Roboto, "Noto Sans", "Noto Sans CJK SC", "Noto Sans Arabic", sans-serif; }}
svg {{ width: min(34vw, 34vh); --lane: #9aabb8; }}
.disc {{ fill: #fff; }} .spinner {{ fill: var(--lane); transform-origin: 200px 200px; animation: turn 1.6s linear infinite; }}
@keyframes turn {{ to {{ transform: rotate(360deg); }} }}
p {{ margin: 0.3em; font-size: clamp(20px, 2.6vmin, 40px); text-align: center; }}
p:nth-of-type(-n+2) {{ font-size: clamp(32px, 5vmin, 72px); font-weight: 600; }}
@media (prefers-reduced-motion: reduce) {{ .spinner {{ animation: none; }} }}
</style></head>
<body data-testid="kiosk-shell">
<main style="display: contents">{kiosk_drawing(KioskStep.PLEASE_WAIT)}
{sentences}</main>
<script>
"use strict";
document.addEventListener("contextmenu", (event) => event.preventDefault());
const ask = async () => {{
  try {{
    const answer = await fetch({json.dumps(ALIVE_PATH)}, {{ cache: "no-store", signal: AbortSignal.timeout({_NETWORK_LIMIT_MS}) }});
    if (answer.status === 204) return location.reload();
  }} catch {{ /* there is nobody yet */ }}
  setTimeout(ask, {ASK_AGAIN_MS});
}};
setTimeout(ask, {ASK_AGAIN_MS});
</script>
</body></html>
"""


def worker_script(shell: str) -> str:
    """The service worker. Its name for the cache changes with the shell, so that an old one is never kept."""
    version = hashlib.sha256(shell.encode()).hexdigest()[:16]
    return f"""\
"use strict";
const CACHE = "kiosk-{version}";
const SHELL = {json.dumps(SHELL_PATH)};
self.addEventListener("install", (event) => {{
  event.waitUntil(caches.open(CACHE).then((cache) => cache.add(new Request(SHELL, {{ cache: "reload" }}))).then(() => self.skipWaiting()));
}});
self.addEventListener("activate", (event) => {{
  const old = (name) => name.startsWith("kiosk-") && name !== CACHE;
  event.waitUntil(caches.keys().then((names) => Promise.all(names.filter(old).map((name) => caches.delete(name))))
    .then(() => self.clients.claim()));
}});
self.addEventListener("fetch", (event) => {{
  if (event.request.mode !== "navigate") return;
  event.respondWith((async () => {{
    try {{
      const answer = await fetch(event.request, {{ signal: AbortSignal.timeout({_NETWORK_LIMIT_MS}) }});
      if (answer.status < 500) return answer;
    }} catch {{ /* the shell, then */ }}
    return (await caches.match(SHELL)) ?? Response.error();
  }})());
}});
"""
