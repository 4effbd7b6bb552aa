// Which values a photograph shows, for as long as the model says so.

import { post } from "./api.js";
import { find, make, words } from "./elements.js";

const LEAST = 0.5; // what is less probable is not said

const section = find("#tags");

let areSaid = true;
let told = ""; // of which photograph the tags are shown

// Shows those of a photograph; none at all of a model that says none, which is requested once.
export async function showTags(photograph, signal) {
  const key = JSON.stringify(photograph);
  if (!areSaid || told === key) return;
  hideTags();
  let predictions = [];
  try {
    ({ predictions } = await post("/v1/predict", { photograph }, signal));
  } catch (error) {
    if (error.code !== "no_values") throw error;
    areSaid = false;
  }
  const sure = predictions.filter(({ probability }) => probability >= LEAST);
  find("dl", section).replaceChildren(
    ...sure.map(({ attribute, value, probability }) =>
      make(
        "div",
        {},
        make("dt", {}, words(attribute)),
        make("dd", {}, words(value)),
        make("dd", { className: "number" }, `${Math.round(100 * probability)} %`),
      ),
    ),
  );
  section.hidden = !sure.length;
  told = key;
}

export function hideTags() {
  section.hidden = true;
  told = "";
}
