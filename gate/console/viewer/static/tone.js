// How values become brightness: the state behind the shaders' uniforms.

const NARROWEST = 1 / 4096;
const AUTO_SHARE = 0.005; // of the pixels that an automatic window leaves out on each side
export const PENETRATIONS = ["all", "high", "low"];
export const EDGE_STEPS = 3;

export class Tone {
  constructor() {
    this.level = 0.5;
    this.width = 1;
    this.isInverted = false;
    this.penetration = 0;
    this.edge = 0;
    this.isMaterial = true;
    this.ratio = [1.45, 2.1];
  }

  // Lowest and highest value that are told apart, 0 to 1.
  get window() {
    return [this.level - this.width / 2, this.level + this.width / 2];
  }

  setWindow(low, high) {
    this.width = Math.max(NARROWEST, high - low);
    this.level = (low + high) / 2;
  }

  // `brighter` and `wider`: shares of the whole range.
  changeWindow(brighter, wider) {
    this.width = Math.min(2, Math.max(NARROWEST, this.width * Math.exp(wider * 2)));
    this.level = Math.min(1, Math.max(0, this.level - brighter * Math.max(this.width, 0.05)));
  }

  // From `bins`, how often each value occurs.
  autoWindow(bins) {
    const total = bins.reduce((sum, count) => sum + count, 0);
    const at = (share) => {
      let left = total * share;
      let bin = 0;
      while (bin < bins.length - 1 && left > bins[bin]) left -= bins[bin++];
      return bin;
    };
    const low = at(AUTO_SHARE);
    const high = at(1 - AUTO_SHARE);
    this.setWindow(low / bins.length, Math.max(low + 1, high + 1) / bins.length);
  }
}
