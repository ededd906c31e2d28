// Keys of an officer's screen that press no button of their own, and the mark of a page that is no longer told anything.
"use strict";

{
  const SILENCE_MS = 3000;
  const root = () => document.querySelector(".role-screen");
  const dialog = () => [...document.querySelectorAll(".q-dialog")].find((each) => each.offsetParent !== null || each.querySelector(".dialog-card"));
  const isTyping = (target) => target.closest?.("input:not([type=checkbox]), textarea, [contenteditable=true]") != null;

  // In a dialog a number is a choice; nothing else on the page hears it.
  function choose(event, open) {
    if (!/^[1-9]$/.test(event.key) || isTyping(event.target)) return false;
    const button = open.querySelector(`button[data-choice="${event.key}"]`);
    if (button && !event.repeat) button.click();
    return true;
  }

  function tell(name) {
    root()?.dispatchEvent(new CustomEvent(name));
  }

  const COMMANDS = {
    F10: () => document.querySelector('button[data-key="F10"]')?.click(),
    d: () => tell("key-tabs"),
    w: () => document.querySelector(".finding")?.focus(),
    End: () => document.querySelector('button[data-key="End"]:not(:disabled)')?.click(),
    PageDown: () => tell("key-next"),
    PageUp: () => tell("key-previous"),
  };

  function scrolls(event) {
    return event.key.startsWith("Page") && event.target.closest?.(".panel-body, .xray-help") != null;
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || !root()) return;
    const open = dialog();
    if (open) {
      if (choose(event, open)) {
        event.preventDefault();
        event.stopImmediatePropagation();
      }
      return;
    }
    if (isTyping(event.target) || scrolls(event)) return;
    const command = COMMANDS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!command) return;
    event.preventDefault();
    if (!event.repeat || event.key.startsWith("Page")) command();
  }, true);

  // The server moves data-beat every second. A page at which nothing moves is older than it looks, whatever the reason.
  let beat = "";
  let heard = performance.now();
  setInterval(() => {
    const now = root()?.dataset.beat ?? "";
    if (now !== beat) {
      beat = now;
      heard = performance.now();
    }
    document.body.toggleAttribute("data-unheard", root() !== null && performance.now() - heard > SILENCE_MS);
  }, 500);
}
