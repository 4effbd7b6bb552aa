// Two photographs beside each other, attribute by attribute.

import { post } from "./api.js";
import { find, make, words } from "./elements.js";
import { photo, showRegions } from "./photos.js";
import { regionsOf } from "./regions.js";

const dialog = find("#compare");
const sides = { left: find("#left"), right: find("#right") };
const frames = { left: find('[data-side="left"]'), right: find('[data-side="right"]') };
const problem = find("#compare-problem");
const body = find("tbody", dialog);

let choices = []; // [{name, reference}], the query first where there is one
let attribute = null;
let round = 0; // of answers, so that a late one is left out

find("#close-compare").addEventListener("click", () => dialog.close());
for (const select of Object.values(sides)) select.addEventListener("change", compare);

// Opens with the first of the choices beside the one at `right`, which may be the first itself.
export function openComparison(given, right, first) {
  choices = given;
  attribute = first;
  for (const select of Object.values(sides)) {
    select.replaceChildren(...choices.map(({ name }, n) => make("option", { value: n }, name)));
  }
  sides.left.value = right ? 0 : 1;
  sides.right.value = right;
  dialog.showModal();
  compare();
}

const chosen = (side) => choices[sides[side].value];

async function compare() {
  for (const [side, frame] of Object.entries(frames)) {
    const { name, reference } = chosen(side);
    frame.replaceChildren(photo(reference, name, "large"));
  }
  await said(async (isLate) => {
    const pair = { left: chosen("left").reference, right: chosen("right").reference };
    const { attributes } = await post("/v1/compare", pair);
    if (isLate()) return;
    body.replaceChildren(...attributes.map(row));
    await look(isLate);
  });
}

function choose(name) {
  attribute = name;
  return said(look);
}

async function look(isLate) {
  for (const button of body.querySelectorAll("button")) {
    button.ariaPressed = String(button.dataset.attribute === attribute);
  }
  const photographs = [chosen("left").reference, chosen("right").reference];
  const regions = await regionsOf(photographs, [attribute]);
  if (isLate()) return;
  Object.values(frames).forEach((frame, n) => {
    showRegions(find(".photo", frame), [attribute], regions[n]);
  });
}

async function said(run) {
  const mine = ++round;
  const isLate = () => mine !== round;
  problem.hidden = true;
  try {
    await run(isLate);
  } catch (error) {
    if (isLate()) return;
    problem.textContent = `${error.title ?? error} ${error.advice ?? ""}`;
    problem.hidden = false;
  }
}

function row({ attribute: name, cosine, percentile }) {
  const button = make("button", { type: "button", ariaPressed: "false" }, words(name));
  button.dataset.attribute = name;
  button.addEventListener("click", () => choose(name));
  const filled = make("span");
  filled.style.left = `${50 + 50 * Math.min(0, cosine)}%`;
  filled.style.width = `${50 * Math.abs(cosine)}%`;
  const scale = make("span", { className: "scale", ariaHidden: "true" }, filled);
  scale.classList.toggle("opposite", cosine < 0);
  const cell = make("span", { className: "cosine" }, scale, cosine.toFixed(2));
  return make(
    "tr",
    {},
    make("th", { scope: "row" }, button),
    make("td", {}, cell),
    make("td", {}, `${percentile.toFixed(1)} %`),
  );
}
