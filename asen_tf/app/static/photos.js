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

function drawn(element) {
  const overlay = element.querySelector("svg");
  const view = overlay.viewBox.baseVal;
  if (!view?.width) return; // once the photograph is there
  overlay.replaceChildren(
    ...(element.regions ?? []).flatMap(({ box }, n) => {
      const [left, top, right, bottom] = box;
      const place = {
        x: left * view.width,
        y: top * view.height,
        width: (right - left) * view.width,
        height: (bottom - top) * view.height,
      };
      const second = n ? " second" : "";
      return [
        makeSvg("rect", { ...place, class: `under${second}` }),
        makeSvg("rect", { ...place, class: `over${second}` }),
      ];
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
