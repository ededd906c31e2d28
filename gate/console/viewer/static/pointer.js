// What the mouse, a pen or fingers do on the picture.
// Left: pans, or draws with the tool that is chosen. Right, or Ctrl and left: brightness up and down, contrast left and right.
// Wheel: zooms where the pointer is. Two fingers: zoom and pan. Double click: fits.

const WHEEL_RATE = 0.0015;
const LINE_PX = 16;

export function followPointer(stage, viewer) {
  const held = new Map();
  let gesture = null;

  const placeOf = (event) => {
    const rect = stage.getBoundingClientRect();
    return { x: event.clientX - rect.left, y: event.clientY - rect.top };
  };

  stage.addEventListener("contextmenu", (event) => event.preventDefault());
  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    const px = event.deltaMode === 0 ? event.deltaY : event.deltaY * LINE_PX;
    const { x, y } = placeOf(event);
    viewer.zoomBy(Math.exp(-px * WHEEL_RATE), x, y);
  }, { passive: false });
  stage.addEventListener("dblclick", () => viewer.tool === "pan" && viewer.fit());

  stage.addEventListener("pointerdown", (event) => {
    if (event.target.closest("button, input, form")) return;
    stage.setPointerCapture(event.pointerId);
    held.set(event.pointerId, placeOf(event));
    if (held.size === 2) gesture = { kind: "pinch", ...span(held) };
    else gesture = viewer.beginGesture(kindOf(event, viewer), placeOf(event));
    viewer.root.focus({ preventScroll: true });
    event.preventDefault();
  });

  stage.addEventListener("pointermove", (event) => {
    const at = placeOf(event);
    viewer.hover(at);
    const before = held.get(event.pointerId);
    if (!before || !gesture) return;
    held.set(event.pointerId, at);
    if (gesture.kind === "pinch" && held.size === 2) {
      const now = span(held);
      viewer.panBy(now.x - gesture.x, now.y - gesture.y);
      viewer.zoomBy(now.distance / gesture.distance, now.x, now.y);
      gesture = { kind: "pinch", ...now };
    } else if (gesture.kind !== "pinch") {
      viewer.continueGesture(gesture, at, { x: at.x - before.x, y: at.y - before.y });
    }
  });

  const end = (event) => {
    if (!held.delete(event.pointerId)) return;
    if (gesture && gesture.kind !== "pinch") viewer.endGesture(gesture, placeOf(event), event.type === "pointerup");
    gesture = null;
  };
  stage.addEventListener("pointerup", end);
  stage.addEventListener("pointercancel", end);
  stage.addEventListener("pointerleave", () => viewer.hover(null));
}

function kindOf(event, viewer) {
  if (event.button === 2 || event.ctrlKey) return "window";
  if (event.button === 1) return "pan";
  return viewer.tool;
}

function span(held) {
  const [a, b] = [...held.values()];
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, distance: Math.max(1, Math.hypot(a.x - b.x, a.y - b.y)) };
}
