// The elements around the picture: tool bar, words, scale, note field, help. It knows the viewer's commands and none of its workings.

import { COMMANDS, icon, keyName } from "./commands.js";
import { PENETRATIONS } from "./tone.js";

const SCALE_STEPS_MM = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
const SCALE_WIDTH_PX = 140;
const NOTE_LENGTH = 200;
let lastId = 0;

function make(tag, className, parent, attributes = {}) {
  const element = document.createElement(tag);
  element.className = className;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  parent?.append(element);
  return element;
}

export class Bar {
  constructor(host, viewer) {
    const { texts } = viewer;
    this.viewer = viewer;
    this.texts = texts;
    this.root = make("div", "xray", host, { tabindex: "0", role: "group", "aria-label": texts.title, "data-testid": "xray" });
    this.tools = make("div", "xray-bar", this.root, { role: "toolbar", "aria-label": texts.tools });
    this.buttons = COMMANDS.filter((command) => command.icon).map((command) => this.button(command));
    this.stage = make("div", "xray-stage", this.root);
    this.canvas = make("canvas", "xray-canvas", this.stage, { role: "img", "aria-label": texts.title });
    this.svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    this.svg.setAttribute("class", "xray-marks");
    this.svg.setAttribute("aria-hidden", "true");
    this.stage.append(this.svg);
    this.divider = make("div", "xray-divider", this.stage, { "aria-hidden": "true" });
    this.titles = [make("div", "xray-title left", this.stage), make("div", "xray-title right", this.stage)];
    this.state = make("div", "xray-badges", this.stage, { role: "status" });
    this.scale = make("div", "xray-scale", this.stage);
    this.reading = make("div", "xray-reading", this.stage);
    this.word = make("div", "xray-word", this.stage, { role: "status" });
    this.note = this.makeNote();
    this.list = make("ol", "xray-list", this.root, { "aria-label": texts.marks, "data-testid": "marks" });
    this.list.hidden = true;
    this.help = this.makeHelp();
  }

  button(command) {
    const name = this.texts.commands[command.name];
    const button = make("button", "xray-tool", this.tools, {
      type: "button", title: `${name} (${command.keys.map(keyName).join(", ")})`, "aria-label": name, "data-testid": `xray-${command.name}`,
    });
    button.dataset.group = command.group;
    button.append(icon(command.icon));
    button.addEventListener("click", () => {
      command.run(this.viewer, {});
      this.update();
    });
    return { command, button };
  }

  // Shows of every tool whether it is on and can be used.
  update() {
    const { viewer } = this;
    for (const { command, button } of this.buttons) {
      button.hidden = command.isPossible ? !command.isPossible(viewer) : false;
      button.disabled = !viewer.picture && command.name !== "help";
      if (command.isOn) button.setAttribute("aria-pressed", String(command.isOn(viewer)));
    }
    this.stage.dataset.tool = viewer.tool;
  }

  say(state, words) {
    this.word.textContent = words;
    this.word.dataset.state = state;
    this.word.hidden = !words;
  }

  // What lies under the pointer, and how the picture is shown.
  read(viewer, at) {
    if (!viewer.picture) {
      this.reading.textContent = "";
      return;
    }
    const zoom = `${Math.round(viewer.view.scale * 100)} %`;
    if (!at) {
      this.reading.textContent = zoom;
      return;
    }
    const { high, width, height } = viewer.picture;
    const place = viewer.view.toPicture(viewer.frame, at.x * viewer.ratio, at.y * viewer.ratio);
    const [x, y] = [Math.floor(place.x), Math.floor(place.y)];
    const isInside = x >= 0 && y >= 0 && x < width && y < height;
    const value = isInside && !high.isColour ? `  ${high.levels[0].data[y * width + x]}` : "";
    this.reading.textContent = isInside ? `${x}, ${y}${value}  ·  ${zoom}` : zoom;
  }

  label(viewer, frames) {
    const { tone, texts, compare } = { tone: viewer.tone, texts: this.texts, compare: viewer.compare };
    const [low, high] = tone.window.map((value) => Math.round(value * viewer.picture.top));
    const words = [`${texts.window} ${low} – ${high}`];
    if (tone.isInverted) words.push(texts.inverted);
    if (tone.edge > 0) words.push(`${texts.edges} ${tone.edge}`);
    if (tone.penetration > 0) words.push(texts.penetration[PENETRATIONS[tone.penetration]]);
    if (viewer.isDual && tone.isMaterial) words.push(texts.material);
    this.state.replaceChildren(...words.map((each) => Object.assign(document.createElement("span"), { textContent: each })));
    const isCompared = compare !== "off" && viewer.hasPrevious;
    const left = isCompared && (compare !== "blink" || !frames.isCurrentShown) ? viewer.previous.title : "";
    this.titles[0].textContent = left;
    const views = viewer.viewCount > 1 ? `${viewer.viewIndex + 1} / ${viewer.viewCount}  ` : "";
    this.titles[1].textContent = isCompared && frames.isCurrentShown ? `${views}${texts.this_crossing}` : views;
    this.divider.hidden = !isCompared || compare === "blink";
    const at = compare === "side" ? frames.current.x - 2 : (frames.currentClip?.x ?? 0);
    this.divider.style.left = `${at / viewer.ratio}px`;
    this.drawScale(viewer);
  }

  drawScale(viewer) {
    const { pixelsPerMetre } = viewer.picture.high;
    this.scale.hidden = !pixelsPerMetre;
    if (!pixelsPerMetre) return;
    const pxPerMm = (pixelsPerMetre / 1000) * (viewer.view.scale / viewer.ratio);
    const length = [...SCALE_STEPS_MM].reverse().find((step) => step * pxPerMm <= SCALE_WIDTH_PX) ?? SCALE_STEPS_MM[0];
    this.scale.style.width = `${length * pxPerMm}px`;
    this.scale.textContent = length >= 10 ? `${length / 10} cm` : `${length} mm`;
  }

  // The words to a new mark.

  makeNote() {
    const form = make("form", "xray-note", this.stage);
    const input = make("input", "xray-note-input", form, {
      maxlength: String(NOTE_LENGTH), "aria-label": this.texts.note, placeholder: this.texts.note, "data-testid": "xray-note",
      autocomplete: "off", spellcheck: "false",
    });
    const keep = make("button", "xray-note-keep", form, { type: "submit" });
    keep.textContent = this.texts.keep;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.viewer.keepDraft(input.value.trim());
    });
    input.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        event.stopPropagation();
        this.viewer.dropDraft();
        this.root.focus({ preventScroll: true });
      }
    });
    form.hidden = true;
    return form;
  }

  askNote({ x, y }) {
    this.note.hidden = false;
    const width = this.note.offsetWidth;
    this.note.style.left = `${Math.max(4, Math.min(x + 8, this.stage.clientWidth - width - 8))}px`;
    this.note.style.top = `${Math.max(4, Math.min(y + 8, this.stage.clientHeight - 48))}px`;
    const input = this.note.querySelector("input");
    input.value = "";
    // At once it would take the stroke that asked for it as its first letter.
    requestAnimationFrame(() => input.focus());
  }

  closeNote() {
    this.note.hidden = true;
  }

  // Help.

  makeHelp() {
    const heading = `xray-help-${++lastId}`;
    const help = make("div", "xray-help", this.root, {
      role: "dialog", "aria-labelledby": heading, tabindex: "-1", "data-testid": "xray-keys",
    });
    const card = make("div", "xray-help-card", help);
    make("h2", "xray-help-title", card, { id: heading }).textContent = this.texts.help_title;
    const columns = make("div", "xray-help-columns", card);
    for (const group of ["look", "tone", "mark"]) {
      const column = make("section", "", columns);
      make("h3", "", column).textContent = this.texts.groups[group];
      const rows = make("dl", "", column);
      for (const command of COMMANDS.filter((each) => each.group === group)) {
        const keys = make("dt", "", rows);
        for (const key of command.keys) make("kbd", "", keys).textContent = keyName(key);
        make("dd", "", rows).textContent = this.texts.commands[command.name];
      }
    }
    make("p", "xray-help-mouse", card).textContent = this.texts.help_mouse;
    help.addEventListener("click", () => this.toggleHelp());
    help.hidden = true;
    return help;
  }

  get isHelpOpen() {
    return !this.help.hidden;
  }

  toggleHelp() {
    this.help.hidden = !this.help.hidden;
    (this.help.hidden ? this.root : this.help).focus({ preventScroll: true });
  }
}
