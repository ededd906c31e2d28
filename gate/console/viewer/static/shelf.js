// Pictures that are being fetched or were, for as long as they may be wanted. They live in this page's memory only.

import { Picture } from "./renderer.js";

const MAX_HELD = 3;

export class Shelf {
  constructor() {
    this.held = new Map();
    this.waiting = new Map();
    this.worker = null;
    this.lastId = 0;
  }

  close() {
    this.worker?.terminate();
    this.worker = null;
    this.held.clear();
  }

  // {picture, whole} or {problem}. `source`: {sha256, high, low}.
  get(source) {
    const { sha256 } = source;
    let promise = this.held.get(sha256);
    if (promise) this.held.delete(sha256);
    promise ??= this.load(source);
    this.held.set(sha256, promise);
    for (const oldest of this.held.keys()) {
      if (this.held.size <= MAX_HELD) break;
      this.held.delete(oldest);
    }
    promise.then((answer) => answer.problem && this.held.delete(sha256));
    return promise;
  }

  // Fetches what an officer will want next, one after the other.
  async prefetch(sources) {
    for (const source of sources.slice(0, MAX_HELD - 1)) await (await this.get(source)).whole;
  }

  // The high energy first, which is enough to look at; `whole` resolves when the low energy is in the picture too: true, or false without.
  async load({ high, low }) {
    const { plane, problem } = await this.plane(high);
    if (problem) return { problem };
    const picture = new Picture(plane);
    const whole = low ? this.plane(low).then((answer) => !answer.problem && picture.take(answer.plane)) : Promise.resolve(true);
    return { picture, whole };
  }

  plane(url) {
    this.worker ??= this.start();
    const id = ++this.lastId;
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      this.worker.postMessage({ id, url });
    });
  }

  start() {
    const worker = new Worker(new URL("./decode_worker.js", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }) => {
      this.waiting.get(data.id)?.(data);
      this.waiting.delete(data.id);
    };
    worker.onerror = () => {
      for (const resolve of this.waiting.values()) resolve({ problem: "the picture could not be fetched" });
      this.waiting.clear();
    };
    return worker;
  }
}
