// PNG (W3C PNG 3rd edition) to samples, as the bytes arrive. A browser's own decoder cuts 16 bits to 8, so this one is ours.
// Taken: greyscale of 8 and 16 bits and truecolour of 8, not interlaced, without alpha; the console turns everything else into that.

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
const GATHERED_BYTES = 1 << 18;
const MAX_PIXELS = 100_000_000;

export class PictureError extends Error {}

// Hands out bytes of a stream in the portions asked for.
class Bytes {
  constructor(reader) {
    this.reader = reader;
    this.chunk = new Uint8Array(0);
    this.at = 0;
    this.received = 0;
  }

  async more() {
    const { done, value } = await this.reader.read();
    if (done) throw new PictureError("the picture ends too early");
    this.received += value.length;
    this.chunk = value;
    this.at = 0;
  }

  // Up to `limit` bytes, at least one.
  async some(limit) {
    while (this.at === this.chunk.length) await this.more();
    const end = Math.min(this.chunk.length, this.at + limit);
    const part = this.chunk.subarray(this.at, end);
    this.at = end;
    return part;
  }

  async exactly(count) {
    const whole = new Uint8Array(count);
    for (let have = 0; have < count; ) {
      const part = await this.some(count - have);
      whole.set(part, have);
      have += part.length;
    }
    return whole;
  }
}

function number(bytes, at) {
  return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
}

async function readHead(bytes) {
  const head = await bytes.exactly(8 + 8 + 13 + 4);
  if (SIGNATURE.some((value, index) => head[index] !== value) || number(head, 8) !== 13) {
    throw new PictureError("this is not a PNG picture");
  }
  const width = number(head, 16);
  const height = number(head, 20);
  const [depth, colour, , , interlace] = head.subarray(24, 29);
  const isGrey = colour === 0 && (depth === 8 || depth === 16);
  const isColour = colour === 2 && depth === 8;
  if (!(isGrey || isColour) || interlace !== 0) throw new PictureError("this kind of PNG is not shown");
  if (width === 0 || height === 0 || width * height > MAX_PIXELS) throw new PictureError("the picture is too large");
  return { width, height, depth, isColour, samples: isColour ? 3 : 1, pixelsPerMetre: null };
}

// Gathers small pieces: a stream takes its time for each.
class Gathered {
  constructor(sink) {
    this.sink = sink;
    this.buffer = new Uint8Array(GATHERED_BYTES);
    this.length = 0;
  }

  async write(part) {
    if (this.length + part.length > GATHERED_BYTES) await this.flush();
    if (part.length > GATHERED_BYTES) {
      await this.sink.write(part);
      return;
    }
    this.buffer.set(part, this.length);
    this.length += part.length;
  }

  async flush() {
    const part = this.buffer.slice(0, this.length);
    this.length = 0;
    if (part.length > 0) await this.sink.write(part);
  }
}

// Feeds the IDAT chunks to `sink`; notes pHYs in `head`.
async function readChunks(bytes, head, sink) {
  const gathered = new Gathered(sink);
  for (;;) {
    const start = await bytes.exactly(8);
    let length = number(start, 0);
    const type = String.fromCharCode(...start.subarray(4, 8));
    if (type === "IDAT") {
      while (length > 0) {
        const part = await bytes.some(length);
        length -= part.length;
        await gathered.write(part);
      }
    } else {
      if (type === "IEND") break;
      if (length > 1 << 20) throw new PictureError("the picture holds a chunk that is too large");
      const data = await bytes.exactly(length);
      if (type === "pHYs" && length === 9 && data[8] === 1 && number(data, 0) === number(data, 4)) {
        head.pixelsPerMetre = number(data, 0) || null;
      }
    }
    await bytes.exactly(4);
  }
  await gathered.flush();
  await sink.close();
}

// Undoes the filter of one row in place (clause 9). `above` is the row before, or zeros.
function unfilter(type, row, above, step) {
  const length = row.length;
  if (type === 1) {
    for (let i = step; i < length; i++) row[i] += row[i - step];
  } else if (type === 2) {
    for (let i = 0; i < length; i++) row[i] += above[i];
  } else if (type === 3) {
    for (let i = 0; i < step; i++) row[i] += above[i] >> 1;
    for (let i = step; i < length; i++) row[i] += (row[i - step] + above[i]) >> 1;
  } else if (type === 4) {
    for (let i = 0; i < step; i++) row[i] += above[i];
    for (let i = step; i < length; i++) {
      const left = row[i - step];
      const up = above[i];
      const corner = above[i - step];
      const toLeft = Math.abs(up - corner);
      const toUp = Math.abs(left - corner);
      const toCorner = Math.abs(left + up - 2 * corner);
      row[i] += toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner;
    }
  } else if (type !== 0) {
    throw new PictureError("the picture is damaged");
  }
}

// Reads a PNG from a stream of bytes. `onRow(head, y, row)` gets each row's raw bytes (16 bits: big-endian), which it must not keep.
export async function readPng(reader, onRow) {
  const bytes = new Bytes(reader);
  const head = await readHead(bytes);
  const step = (head.samples * head.depth) / 8;
  const stride = head.width * step;
  const inflater = new DecompressionStream("deflate");
  const sink = inflater.writable.getWriter();
  const fed = readChunks(bytes, head, sink);
  // Without this a picture that is cut off would be waited for without end.
  fed.catch((error) => sink.abort(error).catch(() => undefined));
  const inflated = new Bytes(inflater.readable.getReader());
  let row = new Uint8Array(stride);
  let above = new Uint8Array(stride);
  try {
    for (let y = 0; y < head.height; y++) {
      const type = (await take(inflated, 1, null))[0];
      await take(inflated, stride, row);
      unfilter(type, row, above, step);
      onRow(head, y, row);
      [row, above] = [above, row];
    }
    const rest = await inflated.reader.read();
    if (!rest.done) throw new PictureError("the picture is damaged");
    await fed;
  } catch (error) {
    throw error instanceof PictureError ? error : new PictureError("the picture is damaged");
  }
  return head;
}

// As Bytes.exactly, into a row that is there already, and without a promise a row where the bytes are there already.
function take(bytes, count, into) {
  if (bytes.chunk.length - bytes.at >= count) {
    const part = bytes.chunk.subarray(bytes.at, bytes.at + count);
    bytes.at += count;
    if (into) into.set(part);
    return part;
  }
  return bytes.exactly(count).then((part) => (into ? into.set(part) : undefined, part));
}
