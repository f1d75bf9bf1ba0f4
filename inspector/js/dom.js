// Making and filling elements. Text only: nothing that was received is ever read as markup.

/** An element with attributes, and listeners where the name begins with `on`. */
export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

/** Sets a text, if it is another: a screen reader repeats what is set. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Makes the children of a node those that `draw` returns for each item; it is given the node that the item had. */
export function each(node, items, key, draw) {
  const before = new Map([...node.children].map((child) => [child.dataset.key, child]));
  const wanted = items.map((item) => {
    const name = String(key(item));
    const child = draw(item, before.get(name));
    child.dataset.key = name;
    return child;
  });
  wanted.forEach((child, at) => {
    if (node.children[at] !== child) node.insertBefore(child, node.children[at] ?? null);
  });
  while (node.children.length > wanted.length) node.lastElementChild.remove();
}

export function bytes(count) {
  if (count < 1024) return `${count} B`;
  if (count < 1024 * 1024) return `${(count / 1024).toFixed(1)} KiB`;
  return `${(count / 1024 / 1024).toFixed(1)} MiB`;
}

export function millis(count) {
  if (count < 10) return `${Number(count.toFixed(1))} ms`;
  if (count < 1000) return `${Math.round(count)} ms`;
  return `${(count / 1000).toFixed(1)} s`;
}

export function clock(at) {
  const two = (number) => String(number).padStart(2, "0");
  const date = new Date(at);
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  return `${time}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}
