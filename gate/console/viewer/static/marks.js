// Marks over the picture: drawn in SVG, listed below, written by one and seen by all. Places and sizes are the picture's own pixels.

const SVG = "http://www.w3.org/2000/svg";
const POINT_PX = 16;

function make(name, attributes, parent) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent.append(element);
  return element;
}

// The shape between two places on the picture. A point has no size.
export function shapeBetween(kind, from, to) {
  const x = Math.min(from.x, to.x);
  const y = Math.min(from.y, to.y);
  return { kind, x, y, width: Math.abs(to.x - from.x), height: Math.abs(to.y - from.y) };
}

export class MarkLayer {
  constructor(svg) {
    this.svg = svg;
    this.marks = [];
    this.drafted = null;
    this.chosen = null;
  }

  // Draws marks and the one that is being made. `place(x, y)` gives CSS pixels, `scale` CSS pixels to a pixel of the picture.
  draw(place, scale) {
    this.svg.replaceChildren();
    const all = this.drafted ? [...this.marks, this.drafted] : this.marks;
    for (const mark of all) this.drawOne(mark, place(mark.x, mark.y), scale);
  }

  drawOne(mark, at, scale) {
    const group = make("g", { class: "xray-mark", "data-number": mark.number ?? "" }, this.svg);
    group.style.setProperty("--mark", mark.colour);
    if (mark === this.drafted) group.dataset.draft = "yes";
    if (mark.id && mark.id === this.chosen) group.dataset.chosen = "yes";
    const width = mark.width * scale;
    const height = mark.height * scale;
    for (const layer of ["under", "over"]) {
      if (mark.kind === "ellipse") {
        make("ellipse", { class: layer, cx: at.x + width / 2, cy: at.y + height / 2, rx: width / 2, ry: height / 2 }, group);
      } else if (mark.kind === "box") {
        make("rect", { class: layer, x: at.x, y: at.y, width, height, rx: 3 }, group);
      } else {
        const d = `M${at.x - POINT_PX} ${at.y}h${POINT_PX - 5}M${at.x + 5} ${at.y}h${POINT_PX - 5}M${at.x} ${at.y - POINT_PX}v${POINT_PX - 5}M${at.x} ${at.y + 5}v${POINT_PX - 5}`;
        make("path", { class: layer, d }, group);
      }
    }
    if (mark.number) this.drawLabel(mark, group, mark.kind === "point" ? { x: at.x + POINT_PX, y: at.y - POINT_PX } : at);
  }

  drawLabel(mark, group, at) {
    const words = mark.text.length > 40 ? `${mark.text.slice(0, 39)}…` : mark.text;
    const badge = make("g", { transform: `translate(${Math.round(at.x)} ${Math.round(at.y)})` }, group);
    const plate = make("rect", { class: "plate", x: 0, y: -24, height: 22, rx: 4 }, badge);
    const label = make("text", { x: 7, y: -8 }, badge);
    label.textContent = words ? `${mark.number}  ${words}` : String(mark.number);
    plate.setAttribute("width", String(Math.ceil(label.getComputedTextLength()) + 14));
  }
}

// The list below the picture. `handlers`: {choose(mark), remove(mark)}; `texts`: the words.
export class MarkList {
  constructor(root, texts, handlers) {
    this.root = root;
    this.texts = texts;
    this.handlers = handlers;
  }

  show(marks, chosen) {
    const held = document.activeElement?.closest?.(".xray-list-item")?.dataset.id;
    this.root.replaceChildren(...marks.map((mark) => this.item(mark, mark.id === chosen)));
    this.root.hidden = marks.length === 0;
    if (held) this.root.querySelector(`[data-id="${CSS.escape(held)}"] button`)?.focus();
  }

  item(mark, isChosen) {
    const item = document.createElement("li");
    item.className = "xray-list-item";
    item.dataset.id = mark.id;
    item.dataset.testid = `mark-${mark.number}`;
    item.style.setProperty("--mark", mark.colour);
    if (isChosen) item.dataset.chosen = "yes";
    const open = document.createElement("button");
    open.type = "button";
    open.className = "xray-list-open";
    open.title = this.texts.go_to_mark;
    const number = document.createElement("b");
    number.textContent = String(mark.number);
    const words = document.createElement("span");
    words.className = "xray-list-words";
    words.textContent = mark.text || this.texts[`kind_${mark.kind}`];
    const author = document.createElement("span");
    author.className = "xray-list-author";
    author.textContent = `${mark.role_title} · ${mark.author} · ${mark.time}`;
    open.append(number, words, author);
    open.addEventListener("click", () => this.handlers.choose(mark));
    item.append(open);
    if (mark.is_own) {
      const remove = document.createElement("button");
      remove.type = "button";
      remove.className = "xray-list-remove";
      remove.textContent = "×";
      remove.setAttribute("aria-label", `${this.texts.delete_mark} ${mark.number}`);
      remove.addEventListener("click", () => this.handlers.remove(mark));
      item.append(remove);
    }
    return item;
  }
}
