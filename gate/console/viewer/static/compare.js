// The picture of the last crossing beside this one: side by side, under a slider that follows the pointer, or by turns.

const MODES = ["off", "side", "swipe", "blink"];
const BLINK_MS = 600; // under three changes a second (WCAG 2.2, 2.3.1)
const GAP_PX = 4;

export class Comparison {
  constructor(onTurn) {
    this.mode = "off";
    this.split = 0.5;
    this.isPreviousTurn = false;
    this.onTurn = onTurn;
    this.timer = 0;
  }

  next() {
    this.set(MODES[(MODES.indexOf(this.mode) + 1) % MODES.length]);
  }

  off() {
    this.set("off");
  }

  set(mode) {
    this.mode = mode;
    this.isPreviousTurn = false;
    clearInterval(this.timer);
    if (mode === "blink") {
      this.timer = setInterval(() => {
        this.isPreviousTurn = !this.isPreviousTurn;
        this.onTurn();
      }, BLINK_MS);
    }
  }

  close() {
    clearInterval(this.timer);
  }

  // Where the slider is, 0 to 1.
  moveTo(split) {
    this.split = Math.min(1, Math.max(0, split));
  }

  // Frames in device pixels: `current` lays the current picture out, `currentClip` is the part of it that is drawn.
  frames(whole) {
    if (this.mode === "side") {
      const width = Math.max(1, Math.floor((whole.width - GAP_PX) / 2));
      const previous = { ...whole, width };
      return { current: { ...whole, x: width + GAP_PX, width }, previous, isCurrentShown: true };
    }
    if (this.mode === "swipe") {
      const x = Math.round(whole.width * this.split);
      const currentClip = { ...whole, x, width: whole.width - x };
      return { current: whole, currentClip, previous: { ...whole, width: x }, layout: whole, isCurrentShown: true };
    }
    if (this.mode === "blink" && this.isPreviousTurn) return { current: whole, previous: whole, isCurrentShown: false };
    return { current: whole, isCurrentShown: true };
  }
}
