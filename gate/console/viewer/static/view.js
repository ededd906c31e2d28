// Where on the picture a frame looks, and how closely. Lengths of the screen are device pixels, places on the picture its own pixels.

const LARGEST_SCALE = 32;

export class View {
  constructor() {
    this.scale = 1;
    this.x = 0;
    this.y = 0;
  }

  // Where the picture's corner lies; whole device pixels, so that at 1:1 each pixel is itself.
  origin(frame) {
    return {
      x: Math.round(frame.x + frame.width / 2 - this.x * this.scale),
      y: Math.round(frame.y + frame.height / 2 - this.y * this.scale),
    };
  }

  toPicture(frame, px, py) {
    const origin = this.origin(frame);
    return { x: (px - origin.x) / this.scale, y: (py - origin.y) / this.scale };
  }

  toScreen(frame, x, y) {
    const origin = this.origin(frame);
    return { x: origin.x + x * this.scale, y: origin.y + y * this.scale };
  }

  static fitScale(frame, size) {
    return Math.min(frame.width / size.width, frame.height / size.height);
  }

  fit(frame, size) {
    this.scale = View.fitScale(frame, size);
    this.x = size.width / 2;
    this.y = size.height / 2;
  }

  // What is under (px, py) stays there.
  zoomAt(frame, size, px, py, scale) {
    const held = this.toPicture(frame, px, py);
    const smallest = View.fitScale(frame, size) / 2;
    this.scale = Math.min(LARGEST_SCALE, Math.max(Math.min(smallest, 1), scale));
    this.x = held.x - (px - frame.x - frame.width / 2) / this.scale;
    this.y = held.y - (py - frame.y - frame.height / 2) / this.scale;
    this.keepInside(size);
  }

  panBy(size, dx, dy) {
    this.x -= dx / this.scale;
    this.y -= dy / this.scale;
    this.keepInside(size);
  }

  lookAt(size, x, y) {
    this.x = x;
    this.y = y;
    this.keepInside(size);
  }

  keepInside(size) {
    this.x = Math.min(size.width, Math.max(0, this.x));
    this.y = Math.min(size.height, Math.max(0, this.y));
  }

  // The same relative place of a picture of another size.
  matching(size, other) {
    const view = new View();
    view.scale = (this.scale * size.width) / other.width;
    view.x = (this.x * other.width) / size.width;
    view.y = (this.y * other.height) / size.height;
    return view;
  }
}
