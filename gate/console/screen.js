// Keys, and looking closely at a picture. Everything else is on the server.
"use strict";

// F1 to F4 press the button that names them, once a stroke, and never while a dialog is open.
document.addEventListener("keydown", (event) => {
  if (!/^F[1-9]$/.test(event.key) || event.ctrlKey || event.altKey || event.metaKey) return;
  const button = document.querySelector(`button[data-key="${event.key}"]`);
  if (!button) return;
  event.preventDefault();
  if (event.repeat || button.disabled || document.querySelector(".q-dialog")) return;
  button.click();
});

// A pane marked .viewer: the wheel magnifies at the pointer, dragging moves, a double click goes back.
const views = new WeakMap();

function viewOf(pane) {
  if (!views.has(pane)) views.set(pane, { scale: 1, x: 0, y: 0 });
  return views.get(pane);
}

function draw(pane, view) {
  const picture = pane.querySelector("img");
  if (picture) picture.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
  pane.dataset.scale = view.scale.toFixed(2);
}

document.addEventListener("wheel", (event) => {
  const pane = event.target.closest?.(".viewer");
  if (!pane) return;
  event.preventDefault();
  const view = viewOf(pane);
  const frame = pane.getBoundingClientRect();
  const px = event.clientX - frame.left - frame.width / 2;
  const py = event.clientY - frame.top - frame.height / 2;
  const scale = Math.min(12, Math.max(1, view.scale * Math.exp(-event.deltaY * 0.0015)));
  view.x = scale === 1 ? 0 : px - ((px - view.x) * scale) / view.scale;
  view.y = scale === 1 ? 0 : py - ((py - view.y) * scale) / view.scale;
  view.scale = scale;
  draw(pane, view);
}, { passive: false });

document.addEventListener("pointerdown", (event) => {
  const pane = event.target.closest?.(".viewer");
  if (!pane || event.button !== 0) return;
  event.preventDefault();
  const view = viewOf(pane);
  const start = { x: event.clientX - view.x, y: event.clientY - view.y };
  const move = (next) => {
    view.x = next.clientX - start.x;
    view.y = next.clientY - start.y;
    draw(pane, view);
  };
  const stop = () => {
    document.removeEventListener("pointermove", move);
    document.removeEventListener("pointerup", stop);
    document.removeEventListener("pointercancel", stop);
  };
  document.addEventListener("pointermove", move);
  document.addEventListener("pointerup", stop);
  document.addEventListener("pointercancel", stop);
});

document.addEventListener("dblclick", (event) => {
  const pane = event.target.closest?.(".viewer");
  if (!pane) return;
  const view = viewOf(pane);
  Object.assign(view, { scale: 1, x: 0, y: 0 });
  draw(pane, view);
});

// Another picture starts unmagnified.
document.addEventListener("load", (event) => {
  const pane = event.target.closest?.(".viewer");
  if (!pane) return;
  const view = viewOf(pane);
  Object.assign(view, { scale: 1, x: 0, y: 0 });
  draw(pane, view);
}, true);

// A kiosk whose browser lacks the letters of a language must not speak it in empty boxes: it tells the server which.
const SAMPLES = { zh: "请", ja: "の", ko: "한", ru: "Ж", ar: "ع" };

function picture(letter, family) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 40;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.font = `30px ${family}`;
  context.fillText(letter, 4, 32);
  return context.getImageData(0, 0, 40, 40).data.join();
}

window.addEventListener("load", () => {
  if (!document.body.classList.contains("kiosk-body")) return;
  const family = getComputedStyle(document.body).fontFamily;
  const missing = picture("\u{10fffd}", family);
  const unspoken = Object.keys(SAMPLES).filter((language) => picture(SAMPLES[language], family) === missing);
  if (unspoken.length > 0) window.emitEvent?.("unspoken_languages", unspoken);
});

// The kiosk lights the traveller's face: colours of one brightness, never more than two and a half changes a second (WCAG 2.2, 2.3.1).
// Whoever has asked their system for less motion sees none of it.
const SLOWEST_MS = 400;
let lightTimer = 0;

window.showKioskLight = (id, colours, stepMs) => {
  const pane = document.getElementById(id);
  if (!pane || stepMs < SLOWEST_MS || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  clearInterval(lightTimer);
  let place = 0;
  const show = () => {
    if (place >= colours.length) {
      clearInterval(lightTimer);
      pane.style.visibility = "hidden";
      return;
    }
    pane.style.background = colours[place];
    pane.style.visibility = "visible";
    pane.dataset.colour = colours[place];
    place += 1;
  };
  show();
  lightTimer = setInterval(show, stepMs);
};
