// Where the model looks, for as long as it says so.

import { post } from "./api.js";
import { all } from "./elements.js";

let areShown = true;

// For each photograph a box for each attribute; none at all of a model that shows none, which is
// requested once.
export async function regionsOf(photographs, attributes, signal) {
  if (!areShown || !attributes.length) return [];
  try {
    return (await post("/v1/regions", { photographs, attributes }, signal)).regions;
  } catch (error) {
    if (error.code !== "no_regions") throw error;
    areShown = false;
    for (const element of all("[data-regions]")) element.hidden = true;
    return [];
  }
}
