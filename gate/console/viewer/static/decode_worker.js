// Fetches one picture and takes it apart, away from the thread that draws.

import { PictureError, readPng } from "./png.js";
import { Pyramid } from "./pyramid.js";

const BINS = 4096;

function rowsInto(target) {
  return (head, y, row) => {
    if (y === 0) target.pyramid = new Pyramid(head.width, head.height, head.isColour ? 4 : 1);
    const { data, width } = target.pyramid.levels[0];
    const start = y * width;
    if (head.isColour) {
      for (let x = 0, i = start * 4; x < width; x++, i += 4) {
        data[i] = row[3 * x];
        data[i + 1] = row[3 * x + 1];
        data[i + 2] = row[3 * x + 2];
      }
    } else if (head.depth === 16) {
      let { largest } = target;
      for (let x = 0; x < width; x++) {
        const value = (row[2 * x] << 8) | row[2 * x + 1];
        data[start + x] = value;
        if (value > largest) largest = value;
      }
      target.largest = largest;
    } else {
      data.set(row, start);
    }
    target.pyramid.filled(y);
  };
}

async function readOther(response) {
  const bitmap = await createImageBitmap(await response.blob());
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  const pyramid = new Pyramid(width, height, 4);
  pyramid.levels[0].data.set(context.getImageData(0, 0, width, height).data);
  for (let y = 0; y < height; y++) pyramid.filled(y);
  return { pyramid, head: { width, height, depth: 8, isColour: true, pixelsPerMetre: null } };
}

// The largest value of a detector of 8, 10, 12, 14 or 16 bits that could say this one: a file of 16 bits does not tell how many are used.
function topOf(largest) {
  return [255, 1023, 4095, 16383].find((top) => largest <= top) ?? 65535;
}

// How often each value occurs, in BINS bins over the whole range of the depth; of a level that is small enough.
function histogram(pyramid, top) {
  const level = pyramid.levels.find((each) => each.width * each.height <= 1 << 21) ?? pyramid.levels.at(-1);
  const bins = new Uint32Array(BINS);
  const scale = BINS / (top + 1);
  for (let i = 0; i < level.data.length; i += pyramid.channels) bins[Math.floor(level.data[i] * scale)] += 1;
  return bins;
}

async function load(url) {
  const began = performance.now();
  let response;
  try {
    response = await fetch(url, { credentials: "same-origin", cache: "no-store" });
  } catch {
    throw new PictureError("the picture could not be fetched");
  }
  if (!response.ok) {
    const isHidden = response.status === 401 || response.status === 403;
    throw new PictureError(isHidden ? "you may not see this picture" : "the picture could not be fetched");
  }
  const target = { pyramid: null, largest: 0 };
  let head;
  if (response.headers.get("content-type") === "image/png") {
    head = await readPng(response.body.getReader(), rowsInto(target));
  } else {
    ({ pyramid: target.pyramid, head } = await readOther(response));
  }
  const top = head.depth === 16 ? topOf(target.largest) : 255;
  return {
    width: head.width,
    height: head.height,
    isColour: head.isColour,
    top,
    pixelsPerMetre: head.pixelsPerMetre,
    levels: target.pyramid.levels,
    bins: histogram(target.pyramid, top),
    tookMs: performance.now() - began,
  };
}

self.onmessage = async ({ data: { id, url } }) => {
  try {
    const plane = await load(url);
    const buffers = plane.levels.map((level) => level.data.buffer);
    self.postMessage({ id, plane }, [...buffers, plane.bins.buffer]);
  } catch (error) {
    if (!(error instanceof PictureError)) console.error(error);
    self.postMessage({ id, problem: error instanceof PictureError ? error.message : "the picture is damaged" });
  }
};
