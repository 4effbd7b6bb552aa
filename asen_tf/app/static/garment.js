// The garment's box in the visitor's photograph: drawn, or entered in percent of its sides.

import { all, find } from "./elements.js";
import { photo, showMark, toShares } from "./photos.js";

const dialog = find("#garment");
const form = find("form", dialog);
const inputs = all("[data-side]", form); // left, top, right, bottom
const problem = find("#garment-problem");

let looksAt = null;
let corner = null; // where drawing began, as shares

find("#close-garment").addEventListener("click", () => dialog.close());

// `look` gets the box, [left, top, right, bottom] as shares, or null for the whole photograph.
export function openGarment(reference, box, look) {
  looksAt = look;
  const shown = photo(reference, "Your photograph", "large");
  shown.addEventListener("pointerdown", begin);
  shown.addEventListener("pointermove", draw);
  for (const name of ["pointerup", "pointercancel"]) shown.addEventListener(name, () => (corner = null));
  find("[data-photo]", dialog).replaceChildren(shown);
  enter(box ?? [0, 0, 1, 1]);
  dialog.showModal();
}

function begin(event) {
  corner = toShares(event.currentTarget, event);
  event.currentTarget.setPointerCapture(event.pointerId);
  event.preventDefault();
}

function draw(event) {
  if (!corner) return;
  const [x, y] = toShares(event.currentTarget, event);
  enter([Math.min(corner[0], x), Math.min(corner[1], y), Math.max(corner[0], x), Math.max(corner[1], y)]);
}

function enter(box) {
  inputs.forEach((input, n) => (input.value = Math.round(1000 * box[n]) / 10));
  show();
}

const entered = () => inputs.map((input) => input.valueAsNumber / 100);

function show() {
  const [left, top, right, bottom] = entered();
  const isBox = left < right && top < bottom;
  showMark(find(".photo", dialog), isBox ? [left, top, right, bottom] : null);
  problem.hidden = isBox;
  return isBox;
}

form.addEventListener("input", show);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!show()) return;
  dialog.close();
  looksAt(entered());
});
find("#whole").addEventListener("click", () => {
  dialog.close();
  looksAt(null);
});
