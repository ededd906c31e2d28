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
