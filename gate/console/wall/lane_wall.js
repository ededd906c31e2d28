// All lanes of a port, drawn as lanes. The server says only what is new; seconds run here, and so does the age of what is shown.

const SVG = "http://www.w3.org/2000/svg";
const LINK_STALE_MS = 3000;

function make(tag, className, testid) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (testid) element.dataset.testid = testid;
  return element;
}

function shape(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function setText(element, value) {
  if (element.textContent !== value) element.textContent = value;
}

function setData(element, name, value) {
  if (value === null || value === undefined) delete element.dataset[name];
  else if (element.dataset[name] !== value) element.dataset[name] = value;
}

// The lane from above: entry on the left, exit on the right (the same drawing as gate/console/drawings.py makes).
function plan() {
  const svg = shape("svg", { viewBox: "0 0 300 120", class: "lane-plan", "aria-hidden": "true" });
  svg.append(
    shape("rect", { x: 14, y: 20, width: 272, height: 14, rx: 5, class: "wall" }),
    shape("rect", { x: 14, y: 86, width: 272, height: 14, rx: 5, class: "wall" }),
    shape("rect", { x: 62, y: 34, width: 176, height: 52, class: "inside" }),
    shape("path", { d: "M22 60 H44 M36 53 L44 60 L36 67 M256 60 H278 M270 53 L278 60 L270 67", class: "way" }),
  );
  const doors = [60, 240].map((x) => {
    const door = shape("g", { class: "door door-unknown" });
    door.append(
      shape("rect", { x: x - 4, y: 34, width: 8, height: 26, class: "half upper" }),
      shape("rect", { x: x - 4, y: 60, width: 8, height: 26, class: "half lower" }),
    );
    svg.append(door);
    return door;
  });
  const people = shape("g", {});
  svg.append(people);
  return { svg, entry: doors[0], exit: doors[1], people, count: undefined };
}

const DOORS = new Set(["open", "closed", "opening", "closing", "jammed", "forced"]);

function drawPlan(drawn, entry, exit, count) {
  drawn.entry.setAttribute("class", `door door-${DOORS.has(entry) ? entry : "unknown"}`);
  drawn.exit.setAttribute("class", `door door-${DOORS.has(exit) ? exit : "unknown"}`);
  if (drawn.count === count) return;
  drawn.count = count;
  drawn.people.replaceChildren();
  if (count === null) {
    const mark = shape("text", { x: 150, y: 68, class: "unknown" });
    mark.textContent = "?";
    drawn.people.append(mark);
    return;
  }
  const shown = Math.min(count, 3);
  for (let index = 0; index < shown; index += 1) {
    const x = 150 + 34 * (index - (shown - 1) / 2);
    const head = shape("g", { class: "head" });
    head.append(shape("ellipse", { cx: x, cy: 60, rx: 10, ry: 18 }), shape("circle", { cx: x, cy: 60, r: 9 }));
    drawn.people.append(head);
  }
}

function age(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const rest = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return hours ? `${hours}:${rest}` : rest;
}

export default {
  template: '<div class="wall" role="list"></div>',
  props: { lanes: Array, words: Object, silenceLimitMs: Number },
  mounted() {
    this.cards = new Map(this.lanes.map((lane) => [lane.id, this.build(lane)]));
    this.$el.dataset.size = this.lanes.length > 16 ? "many" : "few";
    this.offsetMs = 0;
    this.heardMs = performance.now();
    this.isLinked = true;
    this.timer = setInterval(() => this.tick(), 500);
    this.tick();
    this.$emit("ready");
  },
  beforeUnmount() {
    clearInterval(this.timer);
  },
  methods: {
    build(lane) {
      const card = make("a", "wall-lane", `lane-card-${lane.id}`);
      card.href = `${window.path_prefix ?? ""}/lanes/${lane.id}`;
      card.setAttribute("role", "listitem");
      const head = make("div", "wall-head");
      const title = make("span", "wall-title");
      title.textContent = lane.title;
      const seconds = make("span", "wall-seconds", "lane-seconds");
      head.append(title, seconds);
      const drawn = plan();
      const line = make("div", "wall-line");
      const state = make("span", "wall-state", "lane-state");
      const count = make("span", "wall-count");
      line.append(state, count);
      const outcome = make("div", "wall-outcome", `lane-outcome-${lane.id}`);
      const problem = make("div", "wall-problem", `lane-problem-${lane.id}`);
      card.append(head, drawn.svg, line, outcome, problem);
      this.$el.append(card);
      return { card, seconds, drawn, state, count, outcome, problem, lane: null };
    },
    // What the server has to say: {now, link, lanes: [...]}; a lane comes whole.
    take(batch) {
      this.offsetMs = batch.now - Date.now();
      this.heardMs = performance.now();
      this.isLinked = batch.link;
      for (const lane of batch.lanes) {
        const held = this.cards.get(lane.id);
        if (held) {
          held.lane = lane;
          this.draw(held);
        }
      }
      if (!batch.lanes.length) this.tick();
      this.markAge();
    },
    freshness(lane, nowMs) {
      if (!this.isLinked) return "link_lost";
      if (!lane || lane.heard === null) return "unknown";
      if (!lane.online) return "offline";
      if (lane.state === null) return "unknown";
      return nowMs - lane.heard > this.silenceLimitMs ? "stale" : "live";
    },
    draw(held) {
      const nowMs = Date.now() + this.offsetMs;
      const lane = held.lane;
      const fresh = this.freshness(lane, nowMs);
      const isKnown = lane !== null && lane.state !== null && (fresh === "live" || fresh === "stale");
      setData(held.card, "freshness", fresh);
      setData(held.card, "lamp", isKnown ? lane.lamp : "off");
      setData(held.card, "state", lane?.state ?? null);
      setData(held.card, "step", lane?.step ?? null);
      if (isKnown) drawPlan(held.drawn, lane.entry, lane.exit, lane.count);
      else drawPlan(held.drawn, "unknown", "unknown", null);
      const isSaid = fresh === "live" || fresh === "stale";
      setText(held.state, isSaid ? lane.words : this.words[fresh]);
      setText(held.count, lane?.crossings ?? "");
      setText(held.outcome, lane?.outcome ?? this.words.no_crossing);
      setText(held.problem, lane?.problem ?? "");
      let seconds = "";
      if (fresh === "stale") seconds = this.words.silent.replace("{age}", age(nowMs - lane.heard));
      else if (isKnown) seconds = age(nowMs - lane.since);
      setText(held.seconds, seconds);
    },
    tick() {
      for (const held of this.cards.values()) this.draw(held);
      this.markAge();
    },
    // Nothing may look newer than it is: without a word from the server for three seconds the whole wall says so.
    markAge() {
      const silentMs = performance.now() - this.heardMs;
      const isStale = silentMs > LINK_STALE_MS;
      setData(this.$el, "stale", isStale ? "yes" : null);
      this.$el.setAttribute("aria-busy", isStale ? "true" : "false");
      const marker = document.querySelector('[data-testid="stale-marker"]');
      if (marker) setText(marker, isStale ? this.words.old.replace("{age}", age(silentMs)) : "");
    },
  },
};
