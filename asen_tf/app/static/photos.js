// Photographs, and the regions that the model looks at drawn over them.

import { pictureOf } from "./api.js";
import { make, makeSvg, words } from "./elements.js";

// Lines are drawn in these units, so that they are alike on all photographs.
const SIDE = 1000;

export function photo(reference, alt, size = "small") {
  const overlay = makeSvg("svg", { "aria-hidden": "true", preserveAspectRatio: "xMidYMid meet" });
  const image = make("img", { alt, loading: "lazy", decoding: "async" });
  const spoken = make("span", { className: "sr regions" });
  const element = make("div", { className: "photo" }, image, overlay, spoken);
  image.addEventListener("load", () => {
    // The overlay is fitted into the frame as the photograph is.
    const { naturalWidth, naturalHeight } = image;
    overlay.setAttribute("viewBox", `0 0 ${SIDE} ${(SIDE * naturalHeight) / naturalWidth}`);
    drawn(element);
  });
  image.addEventListener("error", () => {
    image.remove();
    element.prepend(make("span", { className: "missing" }, `${alt}: no photograph`));
  });
  image.src = pictureOf(reference, size);
  return element;
}

// Boxes are [left, top, right, bottom] as shares, or null; one for each attribute.
export function showRegions(element, attributes, boxes) {
  element.regions = attributes
    .map((attribute, n) => ({ attribute, box: boxes?.[n] }))
    .filter(({ box }) => box);
  element.querySelector(".regions").textContent = element.regions
    .map(({ attribute, box }) => `Region of ${words(attribute)}: ${place(box)}.`)
    .join(" ");
  drawn(element);
}

// The box of the garment, of the same form.
export function showMark(element, box) {
  element.mark = box;
  drawn(element);
}

// Where a pointer is in the photograph, as shares of its sides.
export function toShares(element, { clientX, clientY }) {
  const overlay = element.querySelector("svg");
  const { x, y } = new DOMPoint(clientX, clientY).matrixTransform(overlay.getScreenCTM().inverse());
  const { width, height } = overlay.viewBox.baseVal;
  const share = (at, side) => Math.min(1, Math.max(0, at / side));
  return [share(x, width), share(y, height)];
}

function drawn(element) {
  const overlay = element.querySelector("svg");
  const view = overlay.viewBox.baseVal;
  if (!view?.width) return; // once the photograph is there
  const rectangle = ([left, top, right, bottom], name) =>
    makeSvg("rect", {
      x: left * view.width,
      y: top * view.height,
      width: (right - left) * view.width,
      height: (bottom - top) * view.height,
      class: name,
    });
  overlay.replaceChildren(
    ...(element.mark ? [rectangle(element.mark, "under"), rectangle(element.mark, "mark")] : []),
    ...(element.regions ?? []).flatMap(({ box }, n) => {
      const second = n ? " second" : "";
      return [rectangle(box, `under${second}`), rectangle(box, `over${second}`)];
    }),
  );
}

// Where a box lies, in words.
function place([left, top, right, bottom]) {
  if ((right - left) * (bottom - top) > 0.6) return "most of the photograph";
  const third = (share, names) => names[Math.min(2, Math.floor(3 * share))];
  const down = third((top + bottom) / 2, ["top", "middle", "bottom"]);
  return `${down} ${third((left + right) / 2, ["left", "centre", "right"])}`;
}
