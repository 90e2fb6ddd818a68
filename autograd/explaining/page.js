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
let step = 0, looked = null, timer = null;

// numbers and arrays; what JSON has no number for comes as a text that Number() reads
const map = (f, ...xs) => (Array.isArray(xs[0]) ? xs[0].map((_, i) => map(f, ...xs.map((x) => x[i]))) : f(...xs.map(Number)));
const times = (handed) => steps.flatMap((s) => (s.phase === "backward" ? boxes[s.box].handed : [])).filter((h) => h.to === handed.to && !h.inside);

function digits(x, precision = 4) {
  x = Number(x);
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "NaN" : x < 0 ? "−∞" : "∞";
  const size = Math.abs(x);
  const text = size && (size >= 1e5 || size < 1e-3) ? x.toExponential(2) : String(Number(x.toPrecision(precision)) + 0);
  return text.replaceAll("-", "−").replace("+", "");
}

// what has been added up in each box before a step and, with `upto`, by some of the step's own parts
function gradients(before, upto = 0) {
  const sums = boxes.map(() => null);
  const add = ({ to, added, inside }) => {
    const round = boxes[to].single ? Math.fround : (x) => x;
    if (!inside) sums[to] = sums[to] === null ? added : map((a, b) => round(a + b), sums[to], added);
  };
  for (const { phase, box } of steps.slice(0, before)) {
    if (phase === "seed" && boxes[box].value !== null) sums[box] = map(() => 1, boxes[box].value);
    if (phase === "backward") boxes[box].handed.forEach(add);
  }
  if (upto) boxes[steps[before].box].handed.slice(0, upto).forEach(add);
  if (before === steps.length) boxes.forEach((b, i) => (sums[i] ??= b.value === null ? null : map(() => 0, b.value)));
  return sums;
}

// pieces of the page; every text goes in as text, and mathematics as markup that was escaped where it was made
function el(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
function math(...parts) {
  const template = document.createElement("template");
  template.innerHTML = `<math>${parts.join("")}</math>`;
  return template.content.firstChild;
}
const mn = (x) => `<mn>${digits(x)}</mn>`;
const inside = (x) => (x < 0 ? `<mrow><mo>(</mo>${mn(x)}<mo>)</mo></mrow>` : mn(x));
const mo = (sign) => `<mo>${sign}</mo>`;
const partial = (a, b) => `<mfrac><mrow><mo>∂</mo>${a}</mrow><mrow><mo>∂</mo>${b}</mrow></mfrac>`;
const G = '<mi class="gradient">g</mi>';
const brief = (name) => (/^[\w.]{17,}$/.test(name) ? `…${name.slice(-14)}` : name);  // of a path, the end
const loss = boxes[story.output].symbol;

function color(x, most) {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  if (Number.isNaN(x)) return [200, 0, 200];
  const to = x < 0 ? [33, 113, 181] : [214, 84, 20];
  const share = most ? Math.min(Math.abs(x) / most, 1) : 0;
  return (dark ? [38, 46, 55] : [247, 247, 247]).map((a, i) => Math.round(a + (to[i] - a) * share));
}
const most = (rows) => Math.max(0, ...rows.flat().map((x) => Math.abs(Number(x))).filter(Number.isFinite));
function canvas(rows) {
  const [height, width] = [rows.length, rows[0]?.length ?? 0];
  const made = el("canvas", { width: width || 1, height: height || 1 });
  const pixels = new ImageData(width || 1, height || 1), largest = most(rows);
  rows.flat().forEach((x, i) => pixels.data.set([...color(Number(x), largest), 255], 4 * i));
  made.getContext("2d").putImageData(pixels, 0, 0);
  return made;
}
function shown(value, kind = "value") {
  if (!Array.isArray(value)) return el("span", { class: kind }, value === null ? "" : digits(value));
  const columns = value[0]?.length ?? 0, largest = most(value);
  if (!columns) return el("span", { class: "small" }, "no elements");
  if (columns > 6) {
    const picture = canvas(value);
    Object.assign(picture.style, { width: `${columns * 10}px`, height: `${value.length * 10}px` });
    return picture;
  }
  const cells = value.flat().map((x) => {
    const [r, g, b] = color(Number(x), largest);
    const ink = 0.3 * r + 0.59 * g + 0.11 * b > 125 ? "#111" : "#fff";
    return el("span", { style: `background: rgb(${r} ${g} ${b}); color: ${ink}` }, digits(x, columns > 3 ? 3 : 4));
  });
  return el("span", { class: "map", style: `grid-template-columns: repeat(${columns}, auto)` }, ...cells);
}
const facts = (...pairs) => el("dl", { class: "facts" }, ...pairs.flatMap(([name, ...what]) => [el("dt", {}, name), el("dd", {}, ...what)]));
const formula = (...parts) => el("p", { class: "formula" }, ...parts.flatMap((part) => [" ", math(...[part].flat())]));  // may break between parts
const where = (box) => (box.line ? [el("p", { class: "small" }, el("code", {}, box.line))] : []);

// what is told at each step
const telling = {
  start: () => [
    el("p", {}, `${story.nodes} nodes` + (story.nodes > boxes.length ? `, collapsed to ${boxes.length} boxes` : "")
      + ". The coloured boxes are given. Forward, each of the others is computed from what leads to it; backward, each hands its gradient on."),
  ],
  forward(box) {
    if (box.contents) return [el("p", {}, box.contents), ...(box.value === null ? [] : [shown(box.value)]), ...where(box)];
    return [
      formula([box.symbol, mo("="), box.formula], ...(box.numbers ? [[mo("="), box.numbers], [mo("="), mn(box.value)]] : [])),
      ...(box.numbers ? [] : [facts(...box.args.map((x) => [x.name, shown(x.value)]), [box.name, shown(box.value)])]),
      el("p", { class: "small" }, "the row: ", math(box.row)), ...where(box),
    ];
  },
  seed: (box) => [
    formula([partial(loss, loss), mo("="), mn(1)]),
    el("p", {}, "The sweep begins at the end: the derivative of ", math(box.symbol), " by itself is 1. From here on, each box hands on what has arrived."),
  ],
  backward(box, sums) {
    const g = sums[steps[step].box];
    const parts = box.handed.map((one, i) => part(box, one, g, gradients(step, i)[one.to], gradients(step, i + 1)[one.to]));
    const arrived = g === null ? [] : Array.isArray(g) ? [formula([G, mo("="), partial(loss, box.symbol)]), shown(g)] : [formula([G, mo("="), partial(loss, box.symbol), mo("="), mn(g)])];
    const end = g === null && box.value !== null ? "Nothing has arrived here: what this led to has handed on nothing."
      : box.contents ? "What has arrived here goes no further." : "Nothing is handed on: the gradient is 0, or the rule has no derivative.";
    return [...arrived, el("p", { class: "small" }, box.handed.length ? "has arrived here, and is handed on:" : end), ...parts,
      ...(box.more_handed ? [el("p", { class: "small" }, `and ${box.more_handed} more, into other boxes`)] : []), ...inner(box),
      ...(box.known ? [el("p", { class: "small" }, box.known)] : [])];
  },
  end: (_, sums) => [
    el("p", {}, "Done. backward() adds these gradients to .grad:"),
    facts(...boxes.flatMap((b, i) => (b.args || b.contents ? [] : [[b.name, shown(sums[i], "gradient")]]))),
    ...boxes.flatMap((b) => (b.contents ? inner(b) : [])),
  ],
};
const inner = (box) => (box.leaves?.length ? [el("p", {}, `gradients inside ${box.name}:`), facts(...box.leaves.map((x) => [x.name, shown(x.gradient, "gradient")])), ...(box.more ? [el("p", { class: "small" }, `and ${box.more} more`)] : [])] : []);

// one gradient on its way from a box to what the box was made of
function part(box, one, g, before, after) {
  const scalar = !Array.isArray(one.added) && !Array.isArray(g), rows = [], own = partial(box.symbol, one.symbol);
  if (one.row) rows.push(["rule", math(one.row), ...(one.formula === one.row ? [] : [" ", math(mo("="), one.formula)])]);
  if (one.local) rows.push(["local derivative", math(own, mo("="), one.local, ...(Array.isArray(one.slope) || one.local === mn(one.slope) ? [] : [mo("="), mn(one.slope)])), ...(Array.isArray(one.slope) ? [shown(one.slope)] : [])]);
  rows.push(["product", ...(scalar && one.local ? [math(G, mo("·"), own, mo("="), inside(g), mo("·"), inside(one.slope), mo("="), mn(one.added))] : [shown(one.added, "gradient")])]);
  if (one.summed) rows.push(["", el("span", { class: "small" }, `summed over what broadcasting had repeated: ${one.summed}`)]);
  const sum = scalar ? [math(mn(before ?? 0), mo("+"), inside(one.added), mo("=")), " ", shown(after, "gradient")] : before ? [shown(before, "gradient"), " + product = ", shown(after, "gradient")] : [shown(after, "gradient")];
  if (!one.inside) rows.push([`${one.name}.grad +=`, ...sum]);
  const all = times(one), nth = all.indexOf(one);
  const why = nth ? "this part is added to what is there: +=, since = would lose what arrived before." : "this is the first part.";
  return el("div", { class: "part" }, el("h3", {}, `to ${one.name}${one.inside || boxes[one.to].contents ? `, in ${boxes[one.to].name}` : ""}`), facts(...rows),
    ...(all.length > 1 ? [el("p", { class: "note" }, `${one.name} is used ${all.length} times; `, why)] : []));
}

// the graph
const SIZE = [148, boxes.some((box) => Array.isArray(box.value)) ? 64 : 52];
const PITCH = { wide: [188, SIZE[1] + 18], tall: [162, SIZE[1] + 36] };
for (const [i, box] of boxes.entries()) {
  const formula = box.contents ? [el("span", { class: "dim" }, ` ${box.contents}`)] : box.formula ? [" = ", math(box.formula)] : [];
  const kind = box.contents ? "group" : box.formula ? "" : "leaf";
  box.element = el("button", { class: `box ${kind}`, "data-box": i }, el("span", { class: "title" }, el("b", {}, brief(box.name)), ...formula), el("span", { class: "value" }), el("span", { class: "gradient" }));
  for (const event of ["pointerenter", "focus", "click"]) box.element.addEventListener(event, () => look(i));
  $("stage").append(box.element);
}
for (const edge of edges) $("edges").append((edge.element = document.createElementNS("http://www.w3.org/2000/svg", "path")));

function place() {
  const tall = $("graph").clientWidth < 640, [across, along] = tall ? PITCH.tall : PITCH.wide;
  const corner = ([layer, at]) => (tall ? [20 + at * across, 20 + layer * along] : [20 + layer * across, 20 + at * along]);
  const size = [0, 0];
  for (const box of boxes) {
    const [x, y] = (box.corner = corner(box.at));
    Object.assign(box.element.style, { left: `${x}px`, top: `${y}px`, width: `${SIZE[0]}px`, height: `${SIZE[1]}px` });
    size[0] = Math.max(size[0], x + SIZE[0] + 20);
    size[1] = Math.max(size[1], y + SIZE[1] + 20);
  }
  for (const { element, way } of edges) {
    const corners = way.map(corner), ends = tall ? [SIZE[0] / 2, SIZE[1]] : [SIZE[0], SIZE[1] / 2];
    let [x, y] = [corners[0][0] + ends[0], corners[0][1] + ends[1]], path = `M${x} ${y}`;
    for (const [left, top] of corners.slice(1)) {
      const [u, v] = tall ? [left + SIZE[0] / 2, top - 2] : [left - 2, top + SIZE[1] / 2];
      path += tall ? `C${x} ${(y + v) / 2} ${u} ${(y + v) / 2} ${u} ${v}` : `C${(x + u) / 2} ${y} ${(x + u) / 2} ${v} ${u} ${v}`;
      [x, y] = tall ? [u, v + SIZE[1]] : [u + SIZE[0], v];
      path += `L${x} ${y}`;
    }
    element.setAttribute("d", path.slice(0, path.lastIndexOf("L")));
  }
  const fit = Math.min($("graph").clientWidth / size[0], $("graph").clientHeight / size[1]);
  const scale = Math.min(1.4, Math.max(tall ? 0.75 : 0.85, fit));
  Object.assign($("stage").style, { width: `${size[0]}px`, height: `${size[1]}px`, transform: `scale(${scale})` });
  Object.assign($("room").style, { width: `${size[0] * scale}px`, height: `${size[1] * scale}px` });
  place.scale = scale;
}

function show(to) {
  step = Math.max(0, Math.min(steps.length - 1, to));
  const { phase, box } = steps[step], sums = gradients(step + 1);
  const forward = story.forward.length, seen = new Set(story.forward.slice(0, step));
  document.body.dataset.phase = step > forward ? "backward" : "forward";
  const targets = phase === "backward" ? boxes[box].handed.map((h) => h.to) : [];
  boxes.forEach((b, i) => {
    const unseen = (b.formula || b.contents) && !seen.has(i), [, value, gradient] = b.element.children;
    b.element.classList.toggle("unseen", Boolean(unseen));
    b.element.classList.toggle("now", i === box);
    b.element.classList.toggle("target", targets.includes(i));
    for (const [home, x] of [[value, unseen ? null : b.value], [gradient, sums[i]]]) {
      home.replaceChildren(...(x === null ? [] : [Array.isArray(x) ? canvas(x) : digits(x)]));
    }
  });
  for (const edge of edges) {
    edge.element.classList.toggle("now", edge.to === box && (phase === "forward" || (phase === "backward" && targets.includes(edge.from))));
  }
  const title = {
    start: "before", forward: `forward, ${step} of ${forward}: `, seed: "the seed: ",
    backward: `backward, ${step - forward - 1} of ${story.backward.length}: `, end: "the gradients",
  }[phase] + (boxes[box]?.name ?? "");
  $("told").replaceChildren(el("h2", {}, title), ...telling[phase](boxes[box], gradients(step)));
  if (phase === "end") $("told").replaceChildren(el("h2", {}, title), ...telling.end(null, sums));
  $("slider").value = step;
  $("count").value = `${step} / ${steps.length - 1}`;
  if (box !== undefined) {
    const [x, y] = boxes[box].corner.map((c, i) => (c + SIZE[i] / 2) * place.scale);
    $("graph").scrollTo({ left: x - $("graph").clientWidth / 2, top: y - $("graph").clientHeight / 2, behavior: "smooth" });
  }
  if (looked !== null) look(looked);
}

// all that is known of a box
function look(i) {
  looked = i;
  const box = boxes[i], gradient = gradients(step + 1)[i], seen = !(box.formula || box.contents) || story.forward.indexOf(i) < step;
  const known = [["value", ...(seen ? [shown(box.value)] : ["not computed yet"])], ["gradient", ...(gradient === null ? ["none yet"] : [shown(gradient, "gradient")])]];
  if (box.shape) known.push(["shape", box.shape]);
  if (box.formula) known.push(["made by", math(box.formula)]);
  if (box.contents) known.push(["made by", box.contents]);
  if (box.module) known.push(["module", box.module]);
  if (box.line) known.push(["line", el("code", {}, box.line)]);
  $("card").replaceChildren(el("h3", {}, box.name), facts(...known));
}

// controls
const ICONS = { play: "M3 1v14l11-7z", pause: "M3 1h4v14H3zM9 1h4v14H9z" };
function play(on) {
  clearInterval(timer);
  timer = null;
  if (on) {
    if (step === steps.length - 1) show(0);
    timer = setInterval(() => (step < steps.length - 1 ? show(step + 1) : play(false)), 1600 / Number($("speed").value));
  }
  $("play").setAttribute("aria-label", on ? "pause" : "play");
  $("play").querySelector("path").setAttribute("d", on ? ICONS.pause : ICONS.play);
}
const go = (to) => (play(false), show(to));
function faster(by) {
  $("speed").selectedIndex = Math.max(0, Math.min($("speed").length - 1, $("speed").selectedIndex + by));
  if (timer) play(true);
}
const keys = {
  " ": () => play(!timer), ArrowLeft: () => go(step - 1), ArrowRight: () => go(step + 1), Home: () => go(0),
  End: () => go(steps.length - 1), "-": () => faster(-1), "+": () => faster(1), "=": () => faster(1),
};
document.addEventListener("keydown", (event) => {
  const own = event.target.closest("select, input, nav button, .box"), tag = own?.tagName;
  const native = tag === "SELECT" || tag === "INPUT" ? !"+-=".includes(event.key) && event.key !== " " : false;
  if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey || native || (event.key === " " && (tag === "BUTTON" || tag === "SELECT"))) return;
  event.preventDefault();
  keys[event.key]();
});
$("back").addEventListener("click", () => go(step - 1));
$("on").addEventListener("click", () => go(step + 1));
$("play").addEventListener("click", () => play(!timer));
$("slider").addEventListener("input", () => go(Number($("slider").value)));
$("speed").addEventListener("change", () => faster(0));
const again = () => (place(), show(step));
addEventListener("resize", again);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
$("slider").max = steps.length - 1;
document.title = `explain: ${boxes[story.output].name}`;
play(false);
again();
