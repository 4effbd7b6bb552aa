// How many items have which value: filters to click on.

import { all, find, make, words } from "./elements.js";

const lists = new Map(all("[data-facet]").map((list) => [list.dataset.facet, list]));

export const names = [...lists.keys()];

// The filter that a value sets: a column's own, or a hidden one of an attribute.
const filterOf = (list) => find("[data-end]", list.closest("[data-field]"));

// `counts` is name -> [{value, count}], as the server says; none: nothing is shown.
export function showFacets(counts = {}) {
  const focused = document.activeElement;
  const list = focused.closest("[data-facet]");
  const { value } = focused.dataset;
  for (const [name, list] of lists) {
    const filter = filterOf(list);
    const counted = (counts[name] ?? []).map(({ value, count }) => ({ value: String(value), count }));
    // Of an attribute there is nothing else to see, and to take its filter away by.
    const isOwn = filter.type === "hidden";
    if (isOwn && filter.value && !counted.some(({ value }) => value === filter.value)) {
      counted.unshift({ value: filter.value, count: counts[name] ? 0 : "" });
    }
    list.replaceChildren(...counted.map((one) => make("li", {}, button(filter, one))));
    list.hidden = !counted.length;
    if (isOwn) list.parentElement.hidden = list.hidden;
  }
  if (!list) return;
  const same = all("button", list).find((one) => one.dataset.value === value);
  (same ?? find("button", list) ?? find("#filters summary")).focus();
}

function button(filter, { value, count }) {
  const element = make(
    "button",
    { type: "button", ariaPressed: String(filter.value === value) },
    `${words(value)} `,
    make("span", { className: "number" }, count),
  );
  element.dataset.value = value;
  element.addEventListener("click", () => {
    filter.value = filter.value === value ? "" : value;
    filter.dispatchEvent(new Event("change"));
  });
  return element;
}
