// Everything that can be done to the picture: one table for the keys, the tool bar and the help.

const PAN_PX = 80;
const WINDOW_STEP = 0.04;
const ZOOM_STEP = 1.25;

// `keys`: of KeyboardEvent.key, "Shift+" in front where it is meant. `icon`: drawn in the bar; without one it is not there.
export const COMMANDS = [
  { name: "pan_left", group: "look", keys: ["ArrowLeft"], run: (v) => v.panBy(PAN_PX, 0) },
  { name: "pan_right", group: "look", keys: ["ArrowRight"], run: (v) => v.panBy(-PAN_PX, 0) },
  { name: "pan_up", group: "look", keys: ["ArrowUp"], run: (v) => v.panBy(0, PAN_PX) },
  { name: "pan_down", group: "look", keys: ["ArrowDown"], run: (v) => v.panBy(0, -PAN_PX) },
  { name: "zoom_in", group: "look", keys: ["+", "="], icon: "plus", run: (v) => v.zoomBy(ZOOM_STEP) },
  { name: "zoom_out", group: "look", keys: ["-"], icon: "minus", run: (v) => v.zoomBy(1 / ZOOM_STEP) },
  { name: "fit", group: "look", keys: ["0"], icon: "fit", run: (v) => v.fit() },
  { name: "one_to_one", group: "look", keys: ["1"], icon: "one", run: (v) => v.oneToOne() },
  { name: "magnifier", group: "look", keys: ["m"], icon: "lens", run: (v) => v.toggleLens(), isOn: (v) => v.hasLens },
  { name: "brighter", group: "tone", keys: ["Shift+ArrowUp"], run: (v) => v.changeWindow(WINDOW_STEP, 0) },
  { name: "darker", group: "tone", keys: ["Shift+ArrowDown"], run: (v) => v.changeWindow(-WINDOW_STEP, 0) },
  { name: "wider", group: "tone", keys: ["Shift+ArrowRight"], run: (v) => v.changeWindow(0, WINDOW_STEP) },
  { name: "narrower", group: "tone", keys: ["Shift+ArrowLeft"], run: (v) => v.changeWindow(0, -WINDOW_STEP) },
  { name: "auto_window", group: "tone", keys: ["a"], icon: "auto", run: (v) => v.autoWindow() },
  { name: "full_window", group: "tone", keys: ["r"], icon: "reset", run: (v) => v.resetTone() },
  { name: "invert", group: "tone", keys: ["i"], icon: "invert", run: (v) => v.toggleInvert(), isOn: (v) => v.tone.isInverted },
  { name: "edges", group: "tone", keys: ["e"], icon: "edges", run: (v) => v.nextEdge(), isOn: (v) => v.tone.edge > 0 },
  {
    name: "penetration", group: "tone", keys: ["h"], icon: "deep",
    run: (v) => v.nextPenetration(), isOn: (v) => v.tone.penetration > 0,
  },
  {
    name: "colour", group: "tone", keys: ["c"], icon: "colour",
    run: (v) => v.toggleColour(), isOn: (v) => v.tone.isMaterial && v.isDual, isPossible: (v) => v.isDual,
  },
  {
    name: "compare", group: "look", keys: ["l"], icon: "compare",
    run: (v) => v.nextCompare(), isOn: (v) => v.compare !== "off", isPossible: (v) => v.hasPrevious,
  },
  { name: "next_view", group: "look", keys: ["v"], icon: "views", run: (v) => v.nextView(), isPossible: (v) => v.viewCount > 1 },
  {
    name: "mark_point", group: "mark", keys: ["n"], icon: "point",
    run: (v, how) => v.mark("point", how), isOn: (v) => v.tool === "point", isPossible: (v) => v.mayMark,
  },
  {
    name: "mark_ellipse", group: "mark", keys: ["o"], icon: "ellipse",
    run: (v, how) => v.mark("ellipse", how), isOn: (v) => v.tool === "ellipse", isPossible: (v) => v.mayMark,
  },
  {
    name: "mark_box", group: "mark", keys: ["b"], icon: "box",
    run: (v, how) => v.mark("box", how), isOn: (v) => v.tool === "box", isPossible: (v) => v.mayMark,
  },
  { name: "next_mark", group: "mark", keys: ["."], run: (v) => v.stepMark(1) },
  { name: "previous_mark", group: "mark", keys: [","], run: (v) => v.stepMark(-1) },
  { name: "delete_mark", group: "mark", keys: ["Delete"], run: (v) => v.deleteMark() },
  { name: "show_marks", group: "mark", keys: ["g"], icon: "eye", run: (v) => v.toggleMarks(), isOn: (v) => v.areMarksShown },
  { name: "stop", group: "mark", keys: ["Escape"], run: (v) => v.stop() },
  { name: "help", group: "look", keys: ["?"], icon: "help", run: (v) => v.toggleHelp() },
];

const BY_KEY = new Map(COMMANDS.flatMap((command) => command.keys.map((key) => [key, command])));

// The command of a key stroke, or undefined. Keys go to the picture from anywhere on the page but where something is typed or chosen.
export function commandOf(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return undefined;
  const target = event.target instanceof Element ? event.target : null;
  if (target?.closest("input, textarea, select, [contenteditable], .q-dialog, [role=listbox], [role=menu]")) return undefined;
  if (document.querySelector(".q-dialog")) return undefined;
  const isArrow = event.key.startsWith("Arrow");
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  return BY_KEY.get(isArrow && event.shiftKey ? `Shift+${key}` : key);
}

const ICONS = {
  plus: "M5 12h14M12 5v14",
  minus: "M5 12h14",
  fit: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  one: "M6 7l3-2v14M18 7l-3-2M15 5v14M12 9v.1M12 15v.1",
  lens: "M10.5 4a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13M15.5 15.5L21 21M10.5 8v5M8 10.5h5",
  auto: "M4 20V12M9 20V5M14 20V9M19 20v-5",
  reset: "M5 12a7 7 0 1 0 2.5-5.4M5 4v4h4",
  invert: "M12 3a9 9 0 1 0 0 18zM12 3a9 9 0 0 1 0 18",
  edges: "M4 19L9 5h6l5 14zM8 19L11 9h2l3 10",
  deep: "M12 3v13M7 11l5 5l5-5M4 21h16",
  colour: "M8 9a5 5 0 1 0 .1 0M16 9a5 5 0 1 0 .1 0M12 3a5 5 0 1 0 .1 0",
  compare: "M12 3v18M4 6h5v12H4zM15 6h5v12h-5z",
  views: "M4 8h10v10H4zM8 8V4h12v11h-6",
  point: "M12 4v16M4 12h16M12 9a3 3 0 1 0 .1 0",
  ellipse: "M12 6c5 0 9 2.700 9 6s-4 6-9 6s-9-2.700-9-6s4-6 9-6",
  box: "M4 6h16v12H4z",
  eye: "M2 12s4-7 10-7s10 7 10 7s-4 7-10 7s-10-7-10-7M12 9a3 3 0 1 0 .1 0",
  help: "M9 9a3 3 0 1 1 4 2.800c-1 .5-1 1.200-1 2.200M12 18v.1",
};

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

// A key as it is printed on a keyboard.
export function keyName(key) {
  const arrows = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Escape: "Esc", Delete: "Del" };
  const parts = key.split("+").filter(Boolean);
  return parts.length === 0 ? "+" : parts.map((part) => arrows[part] ?? (part.length === 1 ? part.toUpperCase() : part)).join(" ");
}
