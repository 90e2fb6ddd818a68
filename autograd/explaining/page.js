"use strict";
const story = JSON.parse(document.getElementById("story").textContent);
const { boxes, edges } = story;
const $ = (id) => document.getElementById(id);
const steps = [
  { phase: "start" },
  ...story.forward.map((box) => ({ phase: "forward", box })),
  { phase: "seed", box: story.output },
  ...story.backward.map((box) => ({ phase: "backward", box })),
  { phase: "end" },
];
const END = steps.length - 1;
let step = 0, looked = null, timer = null;
let whole = null; // whether all of the graph is shown, small; null for at the start alone

// Numbers and arrays. What JSON has no number for comes as a text, which Number() reads.

function map(f, ...xs) {
  return Array.isArray(xs[0]) ? xs[0].map((_, i) => map(f, ...xs.map((x) => x[i]))) : f(...xs.map(Number));
}

function digits(x, precision = 4) {
  x = Number(x);
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "NaN" : x < 0 ? "−∞" : "∞";
  const isLong = x && (Math.abs(x) >= 1e5 || Math.abs(x) < 1e-3);
  const text = isLong ? x.toExponential(2) : String(Number(x.toPrecision(precision)) + 0);
  return text.replaceAll("-", "−").replace("+", "");
}

// What has been added up in each box before a step and, of that step itself, by some of its parts.
function gradients(before, parts = 0) {
  const sums = boxes.map(() => null);
  const add = ({ to, added, inside }) => {
    const round = boxes[to].single ? Math.fround : Number;
    if (!inside) sums[to] = sums[to] === null ? added : map((a, b) => round(a + b), sums[to], added);
  };
  for (const { phase, box } of steps.slice(0, before)) {
    if (phase === "seed" && boxes[box].value !== null) sums[box] = map(() => 1, boxes[box].value);
    if (phase === "backward") boxes[box].handed.forEach(add);
  }
  if (parts) boxes[steps[before].box].handed.slice(0, parts).forEach(add);
  if (before <= END) return sums;
  return sums.map((sum, i) => (sum === null && boxes[i].value !== null ? map(() => 0, boxes[i].value) : sum));
}

const arrivals = boxes.map(() => []); // at each box, in their order
for (const i of story.backward) {
  for (const part of boxes[i].handed) if (!part.inside) arrivals[part.to].push(part);
}

// Pieces of the page. Every text goes in as text; mathematics as markup, which was escaped where it was made.

function el(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
const small = (...what) => el("p", { class: "small" }, ...what);

function math(...parts) {
  const template = document.createElement("template");
  template.innerHTML = `<math>${parts.join("")}</math>`;
  return template.content.firstChild;
}
const G = '<mi class="gradient">g</mi>';
const mo = (sign) => `<mo>${sign}</mo>`;
const mn = (x) => `<mn>${digits(x)}</mn>`;
const factor = (x) => (x < 0 ? `<mrow>${mo("(")}${mn(x)}${mo(")")}</mrow>` : mn(x));
const partial = (a, b) => `<mfrac><mrow>${mo("∂")}${a}</mrow><mrow>${mo("∂")}${b}</mrow></mfrac>`;
const formula = (...lines) => el("p", { class: "formula" }, ...lines.flatMap((line) => [" ", math(...line)]));
const loss = boxes[story.output].symbol;

// A formula that has one line's height.
function inLine({ formula, operation }) {
  const made = math(formula);
  for (const part of made.querySelectorAll("mfrac")) {
    part.replaceWith(part.firstChild, math(mo("/")).firstChild, part.lastChild);
  }
  return made.querySelector("mtable") ? el("span", { class: "dim" }, `${operation}(…)`) : made;
}

function facts(...pairs) {
  const broken = (name) => name.replaceAll(".", ".\u200b"); // a path goes on in the next line after a point
  const listed = pairs.flatMap(([name, ...what]) => [el("dt", {}, broken(name)), el("dd", {}, ...what)]);
  return el("dl", { class: "facts" }, ...listed);
}

// The end of a path, for a small place.
const brief = (name) => (/^[\w.]{17,}$/.test(name) ? `…${name.slice(-15).replace(/^[^.]*\./, "")}` : name);

// Blue below 0, orange above, as far as the largest of the array.
function color(x, largest) {
  if (Number.isNaN(x)) return [200, 0, 200];
  const base = matchMedia("(prefers-color-scheme: dark)").matches ? [38, 46, 55] : [247, 247, 247];
  const most = x < 0 ? [33, 113, 181] : [214, 84, 20], share = largest ? Math.min(Math.abs(x) / largest, 1) : 0;
  return base.map((a, i) => Math.round(a + (most[i] - a) * share));
}

function colored(rows) {
  const numbers = rows.flat().map(Number);
  const largest = Math.max(0, ...numbers.map(Math.abs).filter(Number.isFinite));
  return numbers.map((x) => [x, color(x, largest)]);
}

function picture(rows) {
  const width = rows[0]?.length || 1, height = rows.length || 1;
  const made = el("canvas", { width, height }), pixels = new ImageData(width, height);
  colored(rows).forEach(([, rgb], i) => pixels.data.set([...rgb, 255], 4 * i));
  made.getContext("2d").putImageData(pixels, 0, 0);
  return made;
}

function shown(value, kind = "value") {
  if (!Array.isArray(value)) return el("span", { class: kind }, value === null ? "" : digits(value));
  const columns = value[0]?.length ?? 0;
  if (!columns) return el("span", { class: "small" }, "no elements");
  const numbers = value.flat(), isUniform = numbers.length > 1 && numbers.every((x) => x === numbers[0]);
  if (isUniform) return el("span", { class: kind }, digits(numbers[0]), el("span", { class: "small" }, " everywhere"));
  if (columns > 4) {
    const made = picture(value);
    Object.assign(made.style, { width: `${columns * 10}px`, height: `${value.length * 10}px` });
    return made;
  }
  const cells = colored(value).map(([x, [r, g, b]]) => {
    const ink = 0.3 * r + 0.59 * g + 0.11 * b > 125 ? "#111" : "#fff";
    return el("span", { style: `background: rgb(${r} ${g} ${b}); color: ${ink}` }, digits(x, columns > 3 ? 3 : 4));
  });
  return el("span", { class: "map", style: `grid-template-columns: repeat(${columns}, auto)` }, ...cells);
}

// What is told at each step.

const telling = {
  start() {
    const how = story.nodes > boxes.length ? `, collapsed to ${boxes.length} boxes` : "";
    const text = `${story.nodes} nodes${how}. What is coloured is given. Forward, each other box is computed from what `
      + "leads to it; backward, each hands its gradient on to what it was computed from.";
    return [el("p", {}, text)];
  },

  forward(box) {
    const line = box.line ? [small(el("code", {}, box.line))] : [];
    if (box.contents) return [el("p", {}, box.contents), ...(box.value === null ? [] : [shown(box.value)]), ...line];
    const made = [box.symbol, mo("="), box.formula];
    const what = box.numbers
      ? [formula(made, [mo("="), box.numbers], [mo("="), mn(box.value)])]
      : [formula(made), facts(...box.args.map((x) => [x.name, shown(x.value)]), [box.name, shown(box.value)])];
    return [...what, small("the row: ", math(box.row)), ...line];
  },

  seed(box) {
    return [
      formula([partial(loss, loss), mo("="), mn(1)]),
      el("p", {}, "The sweep begins at the end: the derivative of ", math(box.symbol), " by itself is 1. "
        + "From here on, each box hands on what has arrived."),
    ];
  },

  backward(box, g) {
    const told = [], arrived = [G, mo("="), partial(loss, box.symbol)];
    if (Array.isArray(g)) told.push(formula(arrived), shown(g));
    else if (g !== null) told.push(formula([...arrived, mo("="), mn(g)]));
    if (box.handed.length) told.push(small("has arrived here, and is handed on:"));
    else if (g === null && box.value !== null) told.push(small("Nothing has arrived here, so nothing is handed on."));
    else if (box.contents) told.push(small("What has arrived here goes no further."));
    else told.push(small("Nothing is handed on: the gradient is 0, or the rule has no derivative."));
    box.handed.forEach((part, i) => {
      const [before, after] = [i, i + 1].map((parts) => gradients(step, parts)[part.to]);
      told.push(handing(box, part, g, before, after));
    });
    if (box.more_handed) told.push(small(`and ${box.more_handed} more, into other boxes`));
    if (box.known) told.push(small(box.known));
    return [...told, ...within(box)];
  },

  end() {
    const sums = gradients(steps.length), leaves = boxes.filter((box) => !box.formula && !box.contents);
    return [
      el("p", {}, "Done. backward() adds these gradients to .grad:"),
      facts(...leaves.map((box) => [box.name, shown(sums[boxes.indexOf(box)], "gradient")])),
      ...boxes.flatMap(within),
    ];
  },
};

function within(box) {
  if (!box.leaves?.length) return [];
  const found = facts(...box.leaves.map((x) => [x.name, shown(x.gradient, "gradient")]));
  return [el("p", {}, `gradients inside ${box.name}:`), found, ...(box.more ? [small(`and ${box.more} more`)] : [])];
}

// One gradient on its way from a box to what the box was made of.
function handing(box, part, g, before, after) {
  const isNumber = !Array.isArray(part.added) && !Array.isArray(g), isSlope = !Array.isArray(part.slope);
  const own = partial(box.symbol, part.symbol), rows = [];
  if (part.row) {
    rows.push(["rule", math(part.row), ...(part.formula === part.row ? [] : [" ", math(mo("="), part.formula)])]);
  }
  if (part.local) {
    const isSaid = !isSlope || math(part.local).textContent === digits(part.slope);
    const number = isSaid ? [] : [mo("="), mn(part.slope)];
    const slope = math(own, mo("="), part.local, ...number);
    rows.push(["local derivative", slope, ...(isSlope ? [] : [el("br", {}), shown(part.slope)])]);
  }
  const product = [[G, mo("·"), own], [mo("="), factor(g), mo("·"), factor(part.slope)], [mo("="), mn(part.added)]];
  const lines = product.flatMap((line) => [math(...line), " "]);
  rows.push(["product", ...(isNumber && part.local ? lines : [shown(part.added, "gradient")])]);
  if (part.summed) rows.push(["", small(`summed where broadcasting had repeated: ${part.summed}`)]);
  if (!part.inside) {
    const sum = isNumber
      ? [math(mn(before ?? 0), mo("+"), factor(part.added), mo("=")), " ", shown(after, "gradient")]
      : before ? [shown(before, "gradient"), " + product = ", shown(after, "gradient")]
      : ["the product; nothing was there"];
    rows.push([`${part.name}.grad +=`, ...sum]);
  }
  const home = part.inside || boxes[part.to].contents ? `, in ${boxes[part.to].name}` : "";
  const made = el("div", { class: "part" }, el("h3", {}, `to ${part.name}${home}`), facts(...rows));
  const uses = arrivals[part.to].length;
  if (uses > 1 && !part.inside) {
    const isFirst = arrivals[part.to][0] === part;
    const why = isFirst ? "this part comes first." : "this part is added to what is there: +=, since = would lose it.";
    made.append(el("p", { class: "note" }, `${part.name} is used ${uses} times; ${why}`));
  }
  return made;
}

// The graph.

const SIZE = [148, boxes.some((box) => Array.isArray(box.value)) ? 64 : 52];
const MARGIN = 24, BETWEEN = 0.6; // around all, and between lines
const WORTH = 1.3, LEAST = 0.6, LEGIBLE = 0.75; // how much larger another plan must be; scales for the box at work
const PITCH = { wide: [176, SIZE[1] + 18], tall: [162, SIZE[1] + 36] };
const [LAYERS, PLACES] = [0, 1].map((i) => 1 + Math.max(...boxes.map((box) => box.at[i])));

boxes.forEach((box, i) => {
  const kind = `${box.contents ? "group" : ""} ${story.forward.includes(i) ? "" : "leaf"}`;
  const title = el("span", { class: "title" }, el("b", {}, brief(box.name)));
  if (box.contents) title.append(el("span", { class: "dim" }, ` ${box.contents}`));
  if (box.formula) title.append(" = ", inLine(box));
  const parts = [title];
  parts.push(...["value", "gradient"].map((name) => el("span", { class: name })));
  box.element = el("button", { class: `box ${kind}`, "data-box": i }, ...parts);
  for (const event of ["pointerenter", "focus", "click"]) box.element.addEventListener(event, () => look(i));
  $("stage").append(box.element);
});
for (const edge of edges) {
  edge.element = document.createElementNS("http://www.w3.org/2000/svg", "path");
  $("edges").append(edge.element);
}
if (edges.length > 100) $("edges").style.setProperty("--edge", 0.3);

// Layers from left to right, as lines of a text if more fits in so; or from top to bottom where there is little room.
function place() {
  const { clientWidth, clientHeight } = $("graph"), plans = [];
  for (let lines = 1; lines === 1 || LAYERS / lines > 3; lines++) plans.push(inLines(Math.ceil(LAYERS / lines)));
  if (clientWidth < 640) plans.splice(1, 0, { counts: [PLACES, LAYERS], pitch: PITCH.tall, isTall: true });
  for (const plan of plans) {
    plan.size = plan.counts.map((n, i) => (n - 1) * plan.pitch[i] + SIZE[i] + 2 * MARGIN);
    plan.fit = Math.min(clientWidth / plan.size[0], clientHeight / plan.size[1]);
  }
  const plan = plans.reduce((best, other) => (other.fit > WORTH * best.fit ? other : best));
  for (const box of boxes) {
    box.corner = corner(box.at, plan);
    const [left, top, width, height] = [...box.corner, ...SIZE].map((x) => `${x}px`);
    Object.assign(box.element.style, { left, top, width, height });
  }
  for (const edge of edges) edge.element.setAttribute("d", route(edge.way, plan));
  place.whole = isWhole();
  place.scale = Math.min(1.4, place.whole || plan.fit > LEAST ? plan.fit : LEGIBLE);
  for (const [name, scale] of [["stage", 1], ["room", place.scale]]) {
    const [width, height] = plan.size.map((x) => `${x * scale}px`);
    Object.assign($(name).style, { width, height });
  }
  $("stage").style.transform = `scale(${place.scale})`;
  $("stage").style.setProperty("--scale", place.scale);
}

// So many layers in each line; a line is as high as what stands in it.
function inLines(columns) {
  const spans = [];
  for (const [layer, at] of [...boxes.map((box) => box.at), ...edges.flatMap((edge) => edge.way)]) {
    const line = Math.floor(layer / columns), [least, most] = spans[line] ?? [at, at];
    spans[line] = [Math.min(least, at), Math.max(most, at)];
  }
  const starts = [0];
  for (const [least, most] of spans) starts.push(starts.at(-1) + 1 + most - least + BETWEEN);
  const tops = spans.map(([least], i) => starts[i] - least);
  return { counts: [columns, starts.at(-1) - BETWEEN], pitch: PITCH.wide, columns, starts, tops };
}

function corner([layer, at], { isTall, columns, tops, pitch }) {
  const cell = isTall ? [at, layer] : [layer % columns, at + tops[Math.floor(layer / columns)]];
  return cell.map((n, i) => MARGIN + n * pitch[i]);
}

// A line from the first box on the way to the last one, straight through the layers between them.
function route(way, plan) {
  const [w, h] = SIZE, [out, into] = plan.isTall ? [[w / 2, h], [w / 2, -2]] : [[w, h / 2], [-2, h / 2]], path = [];
  for (let i = 1; i < way.length; i++) {
    const [[x, y], [u, v]] = [[way[i - 1], out], [way[i], into]].map(([at, d]) => corner(at, plan).map((z, j) => z + d[j]));
    path.push(`${i > 1 ? "L" : "M"}${x} ${y}`);
    if (plan.isTall) path.push(`C${x} ${(y + v) / 2} ${u} ${(y + v) / 2} ${u} ${v}`);
    else if (u > x) path.push(`C${(x + u) / 2} ${y} ${(x + u) / 2} ${v} ${u} ${v}`);
    else { // to the next line
      const above = MARGIN + (plan.starts[Math.floor(way[i][0] / plan.columns)] - BETWEEN / 2) * plan.pitch[1] - 9;
      path.push(`H${x + 10}V${above}H${u - 10}V${v}H${u}`);
    }
  }
  return path.join("");
}

const isWhole = () => whole ?? step === 0;

function show(to) {
  step = Math.max(0, Math.min(END, to));
  if (place.whole !== isWhole()) place();
  const { phase, box } = steps[step], sums = gradients(step + 1), forward = story.forward.length;
  const targets = phase === "backward" ? boxes[box].handed.map((part) => part.to) : [];
  document.body.dataset.phase = step > forward ? "backward" : "forward";
  boxes.forEach((one, i) => {
    const [, value, gradient] = one.element.children, isUnseen = !isComputed(i);
    one.element.classList.toggle("unseen", isUnseen);
    one.element.classList.toggle("now", i === box);
    one.element.classList.toggle("target", targets.includes(i));
    for (const [home, x] of [[value, isUnseen ? null : one.value], [gradient, sums[i]]]) {
      home.replaceChildren(...(x === null ? [] : [Array.isArray(x) ? picture(x) : digits(x)]));
    }
  });
  for (const { element, from, to } of edges) {
    const isNow = element.classList.toggle("now", to === box && (phase === "forward" || targets.includes(from)));
    if (isNow) $("edges").append(element); // above the others
  }
  const titles = {
    start: "before", forward: `forward, ${step} of ${forward}: `, seed: "the seed: ",
    backward: `backward, ${step - forward - 1} of ${story.backward.length}: `, end: "the gradients",
  };
  const title = el("h2", {}, titles[phase] + (boxes[box]?.name ?? ""));
  $("told").replaceChildren(title, ...telling[phase](boxes[box], gradients(step)[box]));
  $("slider").value = step;
  $("count").value = `${step} / ${END}`;
  $("whole").setAttribute("aria-pressed", isWhole());
  if (box !== undefined) follow(boxes[box]);
  if (looked !== null) look(looked);
}

const isComputed = (i) => story.forward.indexOf(i) < step;

function follow(box) {
  const [x, y] = box.corner.map((at, i) => (at + SIZE[i] / 2) * place.scale), graph = $("graph");
  graph.scrollTo({ left: x - graph.clientWidth / 2, top: y - graph.clientHeight / 2, behavior: "smooth" });
}

// All that is known of a box.
function look(i) {
  looked = i;
  const box = boxes[i], gradient = gradients(step + 1)[i];
  const known = [
    ["value", isComputed(i) ? shown(box.value) : "not computed yet"],
    ["gradient", gradient === null ? "none yet" : shown(gradient, "gradient")],
    ["shape", box.shape], ["made by", box.contents ?? (box.formula && math(box.formula))],
    ["module", box.module], ["line", box.line && el("code", {}, box.line)],
  ];
  $("card").replaceChildren(el("h3", {}, box.name), facts(...known.filter(([, what]) => what)));
}

// Controls.

const ICONS = { play: "M3 1v14l11-7z", pause: "M3 1h4v14H3zM9 1h4v14H9z" };

function play(on) {
  clearInterval(timer);
  timer = null;
  if (on) {
    if (step === END) show(0);
    timer = setInterval(() => (step < END ? show(step + 1) : play(false)), 1600 / Number($("speed").value));
  }
  $("play").setAttribute("aria-label", on ? "pause" : "play");
  $("play").querySelector("path").setAttribute("d", on ? ICONS.pause : ICONS.play);
}

function go(to) {
  play(false);
  show(to);
}

function zoom() {
  whole = !isWhole();
  show(step);
}

function faster(by) {
  const speed = $("speed");
  speed.selectedIndex = Math.max(0, Math.min(speed.length - 1, speed.selectedIndex + by));
  if (timer) play(true);
}

const KEYS = {
  " ": () => play(!timer), ArrowLeft: () => go(step - 1), ArrowRight: () => go(step + 1),
  Home: () => go(0), End: () => go(END), "-": () => faster(-1), "+": () => faster(1), "=": () => faster(1), z: zoom,
};
const OWN = { BUTTON: [" "], SELECT: [" ", "ArrowLeft", "ArrowRight", "Home", "End"] }; // what a control does by itself
document.addEventListener("keydown", (event) => {
  const isOthers = event.ctrlKey || event.metaKey || event.altKey || OWN[event.target.tagName]?.includes(event.key);
  if (!KEYS[event.key] || isOthers) return;
  event.preventDefault();
  KEYS[event.key]();
});
$("back").addEventListener("click", () => go(step - 1));
$("on").addEventListener("click", () => go(step + 1));
$("play").addEventListener("click", () => play(!timer));
$("whole").addEventListener("click", zoom);
$("slider").addEventListener("input", () => go(Number($("slider").value)));
$("speed").addEventListener("change", () => faster(0));

function begin() {
  place();
  show(step);
}
addEventListener("resize", begin);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", begin);
$("slider").max = END;
document.title = `explain: ${boxes[story.output].name}`;
play(false);
begin();
