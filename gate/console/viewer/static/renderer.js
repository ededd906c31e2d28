// Pictures by WebGL 2, on a canvas of its own (surface.js copies from it). Every level is cut into tiles, so that any chip's textures are large enough; a tile becomes a texture
// when it is first drawn. Not responsible for: what is looked at (viewer.js), where samples come from (decode_worker.js).

import { EDGE_GAIN, makeProgram } from "./shaders.js";

const TILE_PX = 1024;
const APRON_PX = 2; // texels of the neighbours around each tile: what filters at its edge reads
const MAX_BYTES = 320 * 1024 * 1024;

// A picture of one plane (decode_worker.js), or two of one size.
export class Picture {
  constructor(high) {
    this.high = high;
    this.low = null;
    this.width = high.width;
    this.height = high.height;
    this.top = high.top; // the largest value the detector can say
  }

  // Adds the low energy; false when it does not fit.
  take(low) {
    const isFitting = low.width === this.width && low.height === this.height && !low.isColour && !this.high.isColour;
    if (!isFitting) return false;
    this.low = low;
    this.top = Math.max(this.top, low.top);
    return true;
  }

  get isDual() {
    return this.low !== null;
  }
}

export class Renderer {
  // Throws when the browser has no WebGL 2. `onRestored` is called when a lost context is back and all must be drawn again.
  constructor(onRestored) {
    this.canvas = document.createElement("canvas");
    this.gl = this.canvas.getContext("webgl2", { alpha: false, antialias: false, depth: false, powerPreference: "high-performance" });
    if (!this.gl) throw new Error("no WebGL 2");
    this.canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    this.canvas.addEventListener("webglcontextrestored", () => {
      this.begin();
      onRestored();
    });
    this.begin();
  }

  begin() {
    this.programs = new Map();
    this.tiles = new Map();
    this.bytes = 0;
    this.frame = 0;
    this.stamp = (this.stamp ?? 0) + 1; // another one: what was painted before is not what would be painted now
    this.bindless = this.gl.createVertexArray();
  }

  // What the browser draws with, for the measurements.
  get name() {
    const info = this.gl.getExtension("WEBGL_debug_renderer_info");
    return String(this.gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : this.gl.RENDERER));
  }

  // Forgets the textures of pictures that are not among these.
  keepOnly(pictures) {
    for (const [key, tile] of this.tiles) if (!pictures.includes(tile.picture)) this.drop(key, tile);
  }

  // Forgets the textures of a picture that has got its other energy.
  renew(picture) {
    this.stamp += 1;
    for (const [key, tile] of this.tiles) if (tile.picture === picture) this.drop(key, tile);
  }

  drop(key, tile) {
    for (const texture of tile.textures) this.gl.deleteTexture(texture);
    this.bytes -= tile.bytes;
    this.tiles.delete(key);
  }

  // Makes a region of the canvas, which becomes at least as large as `size`, the colour of the ground.
  clear(region, size) {
    const { gl, canvas } = this;
    this.frame += 1;
    if (canvas.width !== size.width || canvas.height !== size.height) {
      canvas.width = size.width;
      canvas.height = size.height;
    }
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.enable(gl.SCISSOR_TEST);
    gl.scissor(region.x, canvas.height - region.y - region.height, region.width, region.height);
    gl.clearColor(0.027, 0.043, 0.059, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.bindVertexArray(this.bindless);
  }

  // Draws what of `picture` falls into `clip` {x, y, width, height}: its corner at `origin` {x, y}, `scale` device pixels to one of its own.
  // `tone`: {window: [low, high], isInverted, penetration: 0|1|2, edge: 0.., isMaterial, ratio: [r, r]}. `lens`: {x, y, radius} or null.
  draw(picture, { clip, origin, scale, tone, lens = null }) {
    const { gl, canvas } = this;
    const levels = picture.high.levels;
    const level = Math.max(0, Math.min(levels.length - 1, Math.floor(Math.log2(1 / scale) + 1e-6)));
    const { width, height } = levels[level];
    const features = [];
    if (picture.high.isColour) features.push("COLOUR");
    else if (tone.isMaterial && picture.isDual) features.push("MATERIAL");
    if (tone.edge > 0) features.push("EDGE");
    else if (scale === 1 && Number.isInteger(origin.x) && Number.isInteger(origin.y)) features.push("EXACT");
    if (lens) features.push("LENS");
    const { program, places } = this.program(features);
    gl.useProgram(program);
    gl.scissor(clip.x, canvas.height - clip.y - clip.height, clip.width, clip.height);
    const step = [width / (picture.width * scale), height / (picture.height * scale)];
    gl.uniform1i(places.u_high, 0);
    gl.uniform1i(places.u_low, 1);
    gl.uniform1f(places.u_scale_to_one, 1 / picture.top);
    gl.uniform3f(places.u_origin, origin.x, origin.y, canvas.height);
    gl.uniform2f(places.u_texels, step[0], step[1]);
    gl.uniform2f(places.u_window, tone.window[0], tone.window[1]);
    gl.uniform1i(places.u_is_inverted, tone.isInverted ? 1 : 0);
    gl.uniform1i(places.u_penetration, tone.penetration);
    if (places.u_lens) gl.uniform3f(places.u_lens, lens.x, lens.y, lens.radius);
    if (places.u_edge) gl.uniform1f(places.u_edge, tone.edge * EDGE_GAIN);
    if (places.u_ratio) gl.uniform2f(places.u_ratio, tone.ratio[0], tone.ratio[1]);
    for (const tile of this.visible(picture, level, clip, origin, step)) {
      const left = origin.x + tile.x / step[0];
      const top = origin.y + tile.y / step[1];
      const right = origin.x + (tile.x + tile.width) / step[0];
      const bottom = origin.y + (tile.y + tile.height) / step[1];
      const w = canvas.width / 2;
      const h = canvas.height / 2;
      gl.uniform4f(places.u_rect, left / w - 1, 1 - top / h, right / w - 1, 1 - bottom / h);
      gl.uniform2f(places.u_tile, tile.x - APRON_PX, tile.y - APRON_PX);
      this.bind(picture, level, tile);
      gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    }
  }

  // The tiles of a level that a frame shows.
  visible(picture, level, frame, origin, step) {
    const { width, height } = picture.high.levels[level];
    const found = [];
    const first = (start, corner, texels) => Math.max(0, Math.floor(((start - corner) * texels) / TILE_PX));
    const last = (end, corner, texels, size) => Math.min(Math.ceil(size / TILE_PX) - 1, Math.floor(((end - corner) * texels) / TILE_PX));
    const bottom = last(frame.y + frame.height, origin.y, step[1], height);
    const right = last(frame.x + frame.width, origin.x, step[0], width);
    for (let row = first(frame.y, origin.y, step[1]); row <= bottom; row++) {
      for (let column = first(frame.x, origin.x, step[0]); column <= right; column++) {
        const x = column * TILE_PX;
        const y = row * TILE_PX;
        found.push({ x, y, width: Math.min(TILE_PX, width - x), height: Math.min(TILE_PX, height - y) });
      }
    }
    return found;
  }

  program(features) {
    const key = features.join();
    if (!this.programs.has(key)) this.programs.set(key, makeProgram(this.gl, features));
    return this.programs.get(key);
  }

  bind(picture, level, tile) {
    const { gl } = this;
    const key = `${id(picture)}/${level}/${tile.x}/${tile.y}`;
    let held = this.tiles.get(key);
    if (!held) {
      const planes = picture.isDual ? [picture.high, picture.low] : [picture.high];
      const textures = planes.map((plane) => this.upload(plane, level, tile));
      const bytes = textures.length * (tile.width + 2 * APRON_PX) * (tile.height + 2 * APRON_PX) * (picture.high.isColour ? 4 : 2);
      held = { picture, textures, bytes, frame: 0 };
      this.tiles.set(key, held);
      this.bytes += bytes;
      if (this.bytes > MAX_BYTES) this.makeRoom();
    }
    held.frame = this.frame;
    held.textures.forEach((texture, unit) => {
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.bindTexture(gl.TEXTURE_2D, texture);
    });
  }

  makeRoom() {
    const oldest = [...this.tiles].filter(([, tile]) => tile.frame !== 0 && tile.frame < this.frame).sort((a, b) => a[1].frame - b[1].frame);
    for (const [key, tile] of oldest) {
      if (this.bytes <= MAX_BYTES / 2) return;
      this.drop(key, tile);
    }
  }

  // A texture of the tile with its apron; at the picture's own edge the last texels are repeated.
  upload(plane, level, tile) {
    const { gl } = this;
    const { data, width, height } = plane.levels[level];
    const [inner, format, type, channels] = plane.isColour
      ? [gl.RGBA8UI, gl.RGBA_INTEGER, gl.UNSIGNED_BYTE, 4]
      : [gl.R16UI, gl.RED_INTEGER, gl.UNSIGNED_SHORT, 1];
    const outer = { width: tile.width + 2 * APRON_PX, height: tile.height + 2 * APRON_PX };
    const texture = gl.createTexture();
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.texStorage2D(gl.TEXTURE_2D, 1, inner, outer.width, outer.height);
    for (const side of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, side, gl.NEAREST);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    const x = tile.x - APRON_PX;
    const y = tile.y - APRON_PX;
    const isInside = x >= 0 && y >= 0 && x + outer.width <= width && y + outer.height <= height;
    if (isInside) {
      gl.pixelStorei(gl.UNPACK_ROW_LENGTH, width);
      const start = (y * width + x) * channels;
      gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, outer.width, outer.height, format, type, data, start);
      gl.pixelStorei(gl.UNPACK_ROW_LENGTH, 0);
    } else {
      const copy = padded(data, width, height, x, y, outer, channels);
      gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, outer.width, outer.height, format, type, copy);
    }
    return texture;
  }

  // RGBA of device pixels, rows from the top; only right after drawing, in the same task.
  read(x, y, width, height) {
    const { gl } = this;
    const flipped = new Uint8ClampedArray(width * height * 4);
    gl.readPixels(x, this.canvas.height - y - height, width, height, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(flipped.buffer));
    const upright = new Uint8ClampedArray(flipped.length);
    for (let row = 0; row < height; row++) {
      upright.set(flipped.subarray((height - 1 - row) * width * 4, (height - row) * width * 4), row * width * 4);
    }
    return upright;
  }
}

function padded(data, width, height, x, y, outer, channels) {
  const copy = new data.constructor(outer.width * outer.height * channels);
  for (let row = 0; row < outer.height; row++) {
    const from = Math.min(height - 1, Math.max(0, y + row)) * width;
    const start = Math.max(0, x);
    const end = Math.min(width, x + outer.width);
    const into = row * outer.width;
    copy.set(data.subarray((from + start) * channels, (from + end) * channels), (into + start - x) * channels);
    for (let column = 0; column < outer.width; column++) {
      const source = x + column;
      if (source >= 0 && source < width) continue;
      const nearest = (from + Math.min(width - 1, Math.max(0, source))) * channels;
      for (let c = 0; c < channels; c++) copy[(into + column) * channels + c] = data[nearest + c];
    }
  }
  return copy;
}

const ids = new WeakMap();
let lastId = 0;

function id(picture) {
  if (!ids.has(picture)) ids.set(picture, ++lastId);
  return ids.get(picture);
}
