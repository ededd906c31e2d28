// What is on the screen: a canvas in 2D that is painted from the renderer's. Where WebGL runs in software a whole frame takes a tenth of a
// second, so a shift moves what is there and renders only the strips that come into sight, and while anything else changes quickly the
// picture is rendered coarser until it rests.

const SLOW_MS = 24; // a whole frame above this is rendered coarser while it changes
const COARSEST = 4;
const REST_MS = 140;

export class Surface {
  constructor(canvas, renderer) {
    this.canvas = canvas;
    this.renderer = renderer;
    this.context = canvas.getContext("2d", { alpha: false });
    this.painted = null;
    this.wholeMs = 0;
    this.timer = 0;
  }

  close() {
    clearTimeout(this.timer);
  }

  // Paints `parts` (of Renderer.draw, with `clip` for where and `frame` for what the origin belongs to). `isMoving`: more is coming soon.
  paint(parts, isMoving) {
    clearTimeout(this.timer);
    const now = { parts, width: this.canvas.width, height: this.canvas.height, shrink: 1, stamp: this.renderer.stamp };
    const shift = this.shiftTo(now);
    if (shift) {
      this.scroll(parts[0], shift);
    } else {
      now.shrink = isMoving ? Math.min(COARSEST, Math.ceil(Math.sqrt(this.wholeMs / SLOW_MS))) || 1 : 1;
      this.whole(parts, now.shrink);
      if (now.shrink > 1) this.timer = setTimeout(() => this.paint(parts, false), REST_MS);
    }
    this.painted = now;
  }

  // How far the one part has moved, when that is all that has changed since the last painting; null otherwise.
  shiftTo(now) {
    const last = this.painted;
    if (!last || last.shrink > 1 || last.width !== now.width || last.height !== now.height || last.stamp !== now.stamp) return null;
    if (last.parts.length !== 1 || now.parts.length !== 1) return null;
    const [a, b] = [last.parts[0], now.parts[0]];
    if (a.picture !== b.picture || a.scale !== b.scale || a.lens || b.lens || JSON.stringify(a.tone) !== JSON.stringify(b.tone)) return null;
    const shift = { x: b.origin.x - a.origin.x, y: b.origin.y - a.origin.y };
    const isNear = Math.abs(shift.x) < now.width && Math.abs(shift.y) < now.height;
    return isNear && Number.isInteger(shift.x) && Number.isInteger(shift.y) ? shift : null;
  }

  scroll(part, { x, y }) {
    const { width, height } = this.canvas;
    if (x === 0 && y === 0) return;
    this.context.drawImage(this.canvas, x, y);
    const strips = [];
    if (x !== 0) strips.push({ x: x > 0 ? 0 : width + x, y: 0, width: Math.abs(x), height });
    if (y !== 0) strips.push({ x: 0, y: y > 0 ? 0 : height + y, width, height: Math.abs(y) });
    for (const strip of strips) {
      this.renderer.clear(strip, this.canvas);
      this.renderer.draw(part.picture, { ...part, clip: strip });
      const pixels = this.renderer.read(strip.x, strip.y, strip.width, strip.height);
      this.context.putImageData(new ImageData(pixels, strip.width, strip.height), strip.x, strip.y);
    }
  }

  whole(parts, shrink) {
    const began = performance.now();
    const { width, height } = this.canvas;
    const size = { width: Math.ceil(width / shrink), height: Math.ceil(height / shrink) };
    this.renderer.clear({ x: 0, y: 0, ...size }, this.canvas);
    for (const part of parts) this.renderer.draw(part.picture, shrunk(part, shrink));
    this.context.imageSmoothingEnabled = shrink > 1;
    this.context.drawImage(this.renderer.canvas, 0, 0, width / shrink, height / shrink, 0, 0, width, height);
    // The copy waits for the rendering where WebGL runs in software; elsewhere it is as good as free, and so is the frame.
    const tookMs = (performance.now() - began) * shrink * shrink;
    this.wholeMs = this.wholeMs === 0 ? tookMs : 0.6 * this.wholeMs + 0.4 * tookMs;
  }
}

function shrunk(part, by) {
  if (by === 1) return part;
  const frame = ({ x, y, width, height }) => ({
    x: Math.floor(x / by), y: Math.floor(y / by), width: Math.ceil(width / by), height: Math.ceil(height / by),
  });
  const { clip, origin, scale, lens } = part;
  return {
    ...part,
    clip: frame(clip),
    origin: { x: origin.x / by, y: origin.y / by },
    scale: scale / by,
    lens: lens ? { x: lens.x / by, y: lens.y / by, radius: lens.radius / by } : null,
  };
}
