// Elements are made here and nowhere else: text goes in as text, so no value of the data can become markup.

/** An element: `on…` are listeners, `true`/`false` set or leave out an attribute, the rest are attributes. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "value") made.value = value;
    else if (name === "checked" || name === "disabled" || name === "selected") made[name] = Boolean(value);
    else if (name === "style") Object.assign(made.style, value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  append(made, children);
  return made;
}

function append(parent, children) {
  for (const child of children.flat(2)) {
    if (child === null || child === undefined || child === false || child === "") continue;
    parent.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

/** Put new children into `parent` in one step. */
export function replace(parent, ...children) {
  const holder = document.createDocumentFragment();
  append(holder, children);
  parent.replaceChildren(holder);
  return parent;
}

/** A drawing of the page's set; it always stands beside or inside something named. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

export function button(label, onclick, { kind = "btn btn-outline-secondary btn-sm", drawing = null, ...rest } = {}) {
  return element("button", { type: "button", class: kind, onclick, ...rest }, drawing && icon(drawing), label);
}

/** A sentence of `words.js` whose figures between ** are bold. */
export function sentence(text, tag = "span") {
  const parts = text.split("**");
  return element(tag, {}, parts.map((part, i) => (i % 2 ? element("b", {}, part) : part)));
}

export function choice(entries, chosen, onchange, attributes = {}) {
  return element(
    "select",
    { class: "form-select", onchange: (event) => onchange(event.target.value), ...attributes },
    entries.map(([value, label]) => element("option", { value, selected: String(value) === String(chosen ?? "") }, label)),
  );
}

/** A table from rows of cells; `numeric` lists the columns that stand right. */
export function table(headings, rows, { numeric = [], caption = "" } = {}) {
  const cell = (tag, value, i) => element(tag, { class: numeric.includes(i) ? "number" : null, scope: tag === "th" ? "col" : null }, value);
  return element(
    "table",
    { class: "table" },
    caption && element("caption", { class: "visually-hidden" }, caption),
    element("thead", {}, element("tr", {}, headings.map((value, i) => cell("th", value, i)))),
    element("tbody", {}, rows.map((row) => (row instanceof Node ? row : element("tr", {}, row.map((value, i) => cell("td", value, i)))))),
  );
}
