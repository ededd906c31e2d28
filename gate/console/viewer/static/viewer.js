// The X-ray viewer: ties pictures, view, tone, marks, keys and pointer together, and draws when something has changed.
// `texts`: the words (texts.toml). `handlers`: {mark(shape), unmark(id)}. Every screen has its own view of the picture.

import { Bar } from "./bar.js";
import { commandOf } from "./commands.js";
import { Comparison } from "./compare.js";
import { MarkLayer, MarkList, shapeBetween } from "./marks.js";
import { followPointer } from "./pointer.js";
import { Renderer } from "./renderer.js";
import { Shelf } from "./shelf.js";
import { Surface } from "./surface.js";
import { EDGE_STEPS, PENETRATIONS, Tone } from "./tone.js";
import { View } from "./view.js";

const LENS_RADIUS_PX = 120;
const LENS_SCALE = 3;
const SMALLEST_DRAG_PX = 6;
const MOVING_MS = 120; // changes that follow one another so soon are one movement
const KEYBOARD_MARK_SHARE = 0.2; // of the frame, for a shape that is made without a pointer

export class XrayViewer {
  constructor(host, { texts, handlers, mayMark }) {
    this.texts = texts;
    this.handlers = handlers;
    this.mayMark = mayMark;
    this.view = new View();
    this.tone = new Tone();
    this.compared = new Comparison(() => this.redraw());
    this.tool = "pan";
    this.hasLens = false;
    this.areMarksShown = true;
    this.pointer = null;
    this.source = null;
    this.picture = null;
    this.previous = null;
    this.viewIndex = 0;
    this.framesDrawn = 0;
    this.firstPictureMs = null; // from being told of the picture to its pixels on the canvas
    this.changedAt = 0;
    this.isAsked = false;
    this.ratio = window.devicePixelRatio || 1;
    this.bar = new Bar(host, this);
    this.root = this.bar.root;
    this.shelf = new Shelf();
    this.layer = new MarkLayer(this.bar.svg);
    this.list = new MarkList(this.bar.list, texts, {
      choose: (mark) => this.chooseMark(mark),
      remove: (mark) => this.handlers.unmark(mark.id),
    });
    this.marks = [];
    try {
      this.renderer = new Renderer(() => this.redraw());
      this.surface = new Surface(this.bar.canvas, this.renderer);
    } catch {
      this.renderer = null;
      this.say("error", texts.no_webgl);
    }
    followPointer(this.bar.stage, this);
    this.onKey = (event) => this.key(event);
    document.addEventListener("keydown", this.onKey);
    this.watcher = new ResizeObserver(() => this.resized());
    this.watcher.observe(this.bar.stage);
    this.resized();
    this.bar.update();
  }

  close() {
    document.removeEventListener("keydown", this.onKey);
    this.watcher.disconnect();
    this.compared.close();
    this.shelf.close();
    this.surface?.close();
    this.renderer?.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }

  // What is shown. `source`: {views: [{sha256, high, low, title}], previous: {...}|null, next: [url]} or null for nothing.
  async show(source) {
    const isSame = JSON.stringify(this.source?.views) === JSON.stringify(source?.views);
    this.source = source;
    if (!isSame) this.viewIndex = Math.max(0, Math.min(this.viewIndex, (source?.views.length ?? 1) - 1));
    this.shelf.prefetch(source?.next ?? []);
    await Promise.all([isSame && this.picture ? undefined : this.loadCurrent(), this.loadPrevious()]);
  }

  get current() {
    return this.source?.views[this.viewIndex] ?? null;
  }

  async loadCurrent() {
    const wanted = this.current;
    this.picture = null;
    this.layer.drafted = null;
    this.stop();
    if (!wanted || !this.renderer) {
      if (this.renderer) this.say("empty", this.source?.empty ?? this.texts.empty);
      this.redraw();
      return;
    }
    const began = performance.now();
    this.say("loading", this.texts.loading);
    const answer = await this.shelf.get(wanted);
    if (this.current !== wanted && this.current?.sha256 !== wanted.sha256) return;
    if (answer.problem) {
      this.say("error", this.texts.problems[answer.problem] ?? answer.problem);
      return;
    }
    this.picture = answer.picture;
    this.forget();
    this.bar.canvas.dataset.sha256 = wanted.sha256;
    this.tone.isMaterial = true;
    this.autoWindow();
    this.fit();
    this.drawNow();
    this.say("ready", "");
    this.showMarks();
    this.firstPictureMs = performance.now() - began;
    const isWhole = await answer.whole;
    if (this.picture !== answer.picture) return;
    if (!isWhole) this.say("partial", this.texts.no_low_energy);
    this.renderer.renew(this.picture);
    this.redraw();
  }

  async loadPrevious() {
    const wanted = this.source?.previous ?? null;
    if (wanted?.sha256 === this.previous?.sha256) return;
    this.previous = null;
    this.compared.off();
    this.bar.update();
    if (!wanted || !this.renderer) return;
    const answer = await this.shelf.get(wanted);
    if (this.source?.previous?.sha256 !== wanted.sha256 || answer.problem) return;
    this.previous = { ...wanted, picture: answer.picture };
    this.bar.update();
  }

  forget() {
    this.renderer.keepOnly([this.picture, this.previous?.picture].filter(Boolean));
  }

  // state: empty, loading, ready, partial, error.
  say(state, words) {
    this.root.dataset.state = state;
    this.bar.say(state, words);
  }

  // What is looked at.

  get isDual() {
    return this.picture?.isDual ?? false;
  }

  get hasPrevious() {
    return this.previous !== null;
  }

  get viewCount() {
    return this.source?.views.length ?? 0;
  }

  get compare() {
    return this.compared.mode;
  }

  get whole() {
    return { x: 0, y: 0, width: this.bar.canvas.width, height: this.bar.canvas.height };
  }

  // The frame of the current picture, in device pixels.
  get frame() {
    return this.compared.frames(this.whole).current;
  }

  resized() {
    const { canvas, stage } = this.bar;
    this.ratio = window.devicePixelRatio || 1;
    const width = Math.max(1, Math.round(stage.clientWidth * this.ratio));
    const height = Math.max(1, Math.round(stage.clientHeight * this.ratio));
    if (canvas.width === width && canvas.height === height) return;
    const wasFitted = this.picture && Math.abs(this.view.scale - View.fitScale(this.frame, this.picture)) < 1e-9;
    canvas.width = width;
    canvas.height = height;
    if (wasFitted) this.view.fit(this.frame, this.picture);
    this.drawNow();
  }

  panBy(dx, dy) {
    if (!this.picture) return;
    this.view.panBy(this.picture, dx * this.ratio, dy * this.ratio);
    this.redraw();
  }

  // About a place of the stage in CSS pixels, or the middle.
  zoomBy(factor, x = null, y = null) {
    if (!this.picture) return;
    const { frame } = this;
    const px = x === null ? frame.x + frame.width / 2 : x * this.ratio;
    const py = y === null ? frame.y + frame.height / 2 : y * this.ratio;
    this.view.zoomAt(frame, this.picture, px, py, this.view.scale * factor);
    this.redraw();
  }

  fit() {
    if (!this.picture) return;
    this.view.fit(this.frame, this.picture);
    this.redraw();
  }

  oneToOne() {
    const at = this.pointer;
    this.zoomBy(1 / this.view.scale, at?.x ?? null, at?.y ?? null);
  }

  toggleLens() {
    this.hasLens = !this.hasLens;
    this.redraw();
  }

  nextCompare() {
    this.compared.next();
    this.fit();
  }

  nextView() {
    this.viewIndex = (this.viewIndex + 1) % Math.max(1, this.viewCount);
    this.loadCurrent();
  }

  changeWindow(brighter, wider) {
    this.tone.changeWindow(brighter, wider);
    this.redraw();
  }

  autoWindow() {
    if (this.picture) this.tone.autoWindow(this.picture.high.bins);
    this.redraw();
  }

  resetTone() {
    this.tone = new Tone();
    this.redraw();
  }

  toggleInvert() {
    this.tone.isInverted = !this.tone.isInverted;
    this.redraw();
  }

  nextEdge() {
    this.tone.edge = (this.tone.edge + 1) % EDGE_STEPS;
    this.redraw();
  }

  nextPenetration() {
    this.tone.penetration = (this.tone.penetration + 1) % PENETRATIONS.length;
    this.redraw();
  }

  toggleColour() {
    this.tone.isMaterial = !this.tone.isMaterial;
    this.redraw();
  }

  toggleHelp() {
    this.bar.toggleHelp();
  }

  // Ends what is under way, the innermost first.
  stop() {
    if (this.bar.isHelpOpen) this.bar.toggleHelp();
    else if (this.layer.drafted) this.dropDraft();
    else this.tool = "pan";
    this.redraw();
  }

  key(event) {
    if (!this.root.isConnected || this.root.offsetParent === null) return;
    const command = commandOf(event);
    const target = event.target instanceof Element ? event.target : null;
    if (!command || (command.isPossible && !command.isPossible(this))) return;
    if (command.name === "delete_mark" && target?.closest("button") && !target.closest(".xray")) return;
    event.preventDefault();
    command.run(this, { isKey: true });
    this.bar.update();
  }

  // Gestures of the pointer (pointer.js); places are CSS pixels of the stage.

  toPicture({ x, y }) {
    const at = this.view.toPicture(this.frame, x * this.ratio, y * this.ratio);
    return {
      x: Math.min(this.picture.width, Math.max(0, at.x)),
      y: Math.min(this.picture.height, Math.max(0, at.y)),
    };
  }

  hover(at) {
    this.pointer = at;
    if (at) this.compared.moveTo((at.x * this.ratio) / this.bar.canvas.width);
    if (this.hasLens || this.compare === "swipe") this.redraw();
    this.bar.read(this, at);
  }

  beginGesture(kind, at) {
    if (!this.picture) return null;
    if (kind === "pan" || kind === "window") return { kind };
    return { kind, from: this.toPicture(at), fromScreen: at };
  }

  continueGesture(gesture, at, moved) {
    if (gesture.kind === "pan") this.panBy(moved.x, moved.y);
    else if (gesture.kind === "window") this.changeWindow(-moved.y / this.bar.stage.clientHeight, moved.x / this.bar.stage.clientWidth);
    else this.draft(shapeBetween(gesture.kind, gesture.kind === "point" ? this.toPicture(at) : gesture.from, this.toPicture(at)));
  }

  endGesture(gesture, at, isDone) {
    if (gesture.kind === "pan" || gesture.kind === "window") return;
    const isDrawn = Math.hypot(at.x - gesture.fromScreen.x, at.y - gesture.fromScreen.y) >= SMALLEST_DRAG_PX;
    if (!isDone || (gesture.kind !== "point" && !isDrawn)) {
      this.dropDraft();
      return;
    }
    this.draft(shapeBetween(gesture.kind, gesture.kind === "point" ? this.toPicture(at) : gesture.from, this.toPicture(at)));
    this.bar.askNote(at);
  }

  // Marks.

  setMarks(marks) {
    this.marks = marks;
    this.showMarks();
  }

  showMarks() {
    const sha256 = this.current?.sha256;
    this.layer.marks = this.areMarksShown ? this.marks.filter((mark) => mark.sha256 === sha256) : [];
    this.list.show(this.marks.filter((mark) => mark.sha256 === sha256), this.layer.chosen);
    this.redraw();
  }

  // By the bar: choose the tool. By key: make the mark where the pointer is, else in the middle of what is seen.
  mark(kind, how) {
    if (!this.picture || !this.mayMark) return;
    if (!how?.isKey) {
      this.tool = this.tool === kind ? "pan" : kind;
      return;
    }
    const { clientWidth, clientHeight } = this.bar.stage;
    const { frame, ratio } = this;
    const middle = { x: (frame.x + frame.width / 2) / ratio, y: (frame.y + frame.height / 2) / ratio };
    const at = this.pointer ?? middle;
    const half = (Math.min(clientWidth, clientHeight) * KEYBOARD_MARK_SHARE) / 2;
    const reach = kind === "point" ? 0 : half;
    const corner = (sign) => this.toPicture({ x: at.x + sign * reach, y: at.y + sign * reach });
    this.draft(shapeBetween(kind, corner(-1), corner(1)));
    this.bar.askNote({ x: at.x + reach, y: at.y + reach });
  }

  draft(shape) {
    this.layer.drafted = { ...shape, colour: this.texts.own_colour, text: "" };
    this.redraw();
  }

  dropDraft() {
    this.layer.drafted = null;
    this.bar.closeNote();
    this.redraw();
  }

  keepDraft(text) {
    const { kind, x, y, width, height } = this.layer.drafted;
    this.dropDraft();
    this.tool = "pan";
    this.handlers.mark({ sha256: this.current.sha256, kind, x, y, width, height, text });
    this.bar.update();
    this.root.focus({ preventScroll: true });
  }

  chooseMark(mark) {
    this.layer.chosen = mark.id;
    this.areMarksShown = true;
    this.view.lookAt(this.picture, mark.x + mark.width / 2, mark.y + mark.height / 2);
    this.showMarks();
  }

  stepMark(direction) {
    const here = this.marks.filter((mark) => mark.sha256 === this.current?.sha256);
    if (here.length === 0) return;
    const at = here.findIndex((mark) => mark.id === this.layer.chosen);
    this.chooseMark(here[(at + direction + here.length + (at < 0 && direction < 0 ? 1 : 0)) % here.length]);
  }

  deleteMark() {
    const chosen = this.marks.find((mark) => mark.id === this.layer.chosen);
    if (chosen?.is_own) this.handlers.unmark(chosen.id);
  }

  toggleMarks() {
    this.areMarksShown = !this.areMarksShown;
    this.showMarks();
  }

  // Drawing.

  redraw() {
    if (this.isAsked) return;
    this.isAsked = true;
    requestAnimationFrame(() => {
      if (this.isAsked) this.drawNow();
    });
  }

  drawNow() {
    this.isAsked = false;
    this.bar.update();
    if (!this.renderer) return;
    this.framesDrawn += 1;
    const frames = this.compared.frames(this.whole);
    const isMoving = performance.now() - this.changedAt < MOVING_MS;
    this.changedAt = performance.now();
    this.surface.paint(this.picture ? this.parts(frames) : [], isMoving);
    if (this.picture) this.bar.label(this, frames);
    this.drawMarks();
    this.root.dataset.scale = this.view.scale.toFixed(4);
    this.root.dataset.window = this.tone.window.map((value) => value.toFixed(4)).join(" ");
  }

  // What is to be painted, from the back to the front.
  parts(frames) {
    const tone = { ...this.tone, window: this.tone.window };
    const parts = [];
    if (frames.previous && this.previous) {
      const { picture } = this.previous;
      const view = this.view.matching(this.picture, picture);
      parts.push({ picture, clip: frames.previous, origin: view.origin(frames.layout ?? frames.previous), scale: view.scale, tone });
    }
    if (frames.isCurrentShown) {
      const clip = frames.currentClip ?? frames.current;
      parts.push({ picture: this.picture, clip, origin: this.view.origin(frames.current), scale: this.view.scale, tone });
      if (this.hasLens && this.pointer) parts.push(this.lens(frames.current, tone));
    }
    return parts;
  }

  lens(frame, tone) {
    const x = Math.round(this.pointer.x * this.ratio);
    const y = Math.round(this.pointer.y * this.ratio);
    const radius = LENS_RADIUS_PX * this.ratio;
    const scale = this.view.scale * LENS_SCALE;
    const at = this.view.toPicture(frame, x, y);
    const left = Math.max(frame.x, x - radius);
    const top = Math.max(frame.y, y - radius);
    const clip = { x: left, y: top, width: Math.max(0, x + radius - left), height: Math.max(0, y + radius - top) };
    return { picture: this.picture, clip, origin: { x: x - at.x * scale, y: y - at.y * scale }, scale, tone, lens: { x, y, radius } };
  }

  drawMarks() {
    if (!this.picture) {
      this.bar.svg.replaceChildren();
      return;
    }
    const { frame, ratio } = this;
    this.bar.svg.style.clipPath = `inset(0 0 0 ${frame.x / ratio}px)`;
    this.layer.draw((x, y) => {
      const at = this.view.toScreen(frame, x, y);
      return { x: at.x / ratio, y: at.y / ratio };
    }, this.view.scale / ratio);
  }

  // RGBA of a rectangle of device pixels, as it is on the screen at rest.
  readPixels(x, y, width, height) {
    this.changedAt = 0;
    this.drawNow();
    return this.surface.context.getImageData(x, y, width, height).data;
  }
}
