// Small pieces of the page. Texts are set as texts: nothing of a catalogue is read as HTML.

export const find = (selector, within = document) => within.querySelector(selector);
export const all = (selector, within = document) => [...within.querySelectorAll(selector)];

export function make(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in element) element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

export function makeSvg(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

// How attributes and columns are shown.
export const words = (name) => name.replaceAll("_", " ");

// A share of 0 to 1 as a bar; its number stands beside it.
export function bar(share) {
  const filled = make("span");
  filled.style.width = `${100 * Math.max(0, Math.min(1, share))}%`;
  return make("span", { className: "bar", ariaHidden: "true" }, filled);
}

export function plural(count, one, many = `${one}s`) {
  return `${count} ${count === 1 ? one : many}`;
}
