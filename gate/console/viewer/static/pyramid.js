// A picture in halves: level 0 is the picture, each next level the mean of 2 x 2 pixels of the one before, down to one tile.

const SMALLEST_PX = 512;

export class Pyramid {
  // `channels` 1: Uint16Array a level. `channels` 4: Uint8Array a level, red green blue and one that is not used.
  constructor(width, height, channels) {
    this.channels = channels;
    this.levels = [];
    for (;;) {
      const data = channels === 1 ? new Uint16Array(width * height) : new Uint8Array(width * height * 4);
      this.levels.push({ width, height, data });
      if (Math.max(width, height) <= SMALLEST_PX || Math.min(width, height) < 2) break;
      width >>= 1;
      height >>= 1;
    }
  }

  // Says that row `y` of level 0 is filled; makes of it what can be made.
  filled(y) {
    for (let level = 1; level < this.levels.length && y % 2 === 1; level++) {
      y >>= 1;
      if (y >= this.levels[level].height) return;
      if (this.channels === 1) halve(this.levels[level - 1], this.levels[level], y);
      else halveColour(this.levels[level - 1], this.levels[level], y);
    }
  }
}

function halve(from, to, y) {
  const { data, width } = from;
  const out = to.data;
  let upper = 2 * y * width;
  let lower = upper + width;
  for (let i = y * to.width, end = i + to.width; i < end; i++, upper += 2, lower += 2) {
    out[i] = (data[upper] + data[upper + 1] + data[lower] + data[lower + 1] + 2) >> 2;
  }
}

function halveColour(from, to, y) {
  const { data, width } = from;
  const out = to.data;
  for (let x = 0; x < to.width; x++) {
    for (let c = 0; c < 3; c++) {
      const i = (2 * y * width + 2 * x) * 4 + c;
      out[(y * to.width + x) * 4 + c] = (data[i] + data[i + 4] + data[i + width * 4] + data[i + width * 4 + 4] + 2) >> 2;
    }
  }
}
