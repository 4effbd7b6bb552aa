// Results as cards.

import { bar, make, makeSvg, plural, words } from "./elements.js";
import { photo } from "./photos.js";

const HEART =
  "M12 20s-7.5-4.6-7.5-10.2A4.3 4.3 0 0 1 12 7a4.3 4.3 0 0 1 7.5 2.8C19.5 15.4 12 20 12 20z";

// Attributes that a card lists; the rest is for the comparison.
const LISTED = 3;

// `shown` is the answer that it is of; `does` has the functions like, more, compare and hide, which
// get the result.
export function card(result, { weights, query }, does) {
  const title = make("h3", {}, result.id);
  const labels = Object.entries(result.labels).map(([name, values]) => `${words(name)}: ${values.map(words).join(", ")}`);
  const picture = photo({ item: result.id }, [result.id, ...labels].join("; "));
  const like = make(
    "button",
    { type: "button", className: "like", ariaLabel: `Like ${result.id}`, ariaPressed: "false" },
    makeSvg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, makeSvg("path", { d: HEART })),
  );
  like.addEventListener("click", () => does.like(result));
  const score = make(
    "span",
    { className: "score" },
    make("span", { className: "sr" }, "similarity "),
    result.score.toFixed(2),
  );
  const body = make(
    "div",
    { className: "card-body" },
    make("div", { className: "card-top" }, title, score),
    cosines(result, weights),
    ...facts(result),
    make(
      "div",
      { className: "actions" },
      action("Similar", `Similar to ${result.id}`, () => does.more(result)),
      action("Compare", `Compare ${result.id} with ${query ? "the query" : "another"}`, () => does.compare(result)),
      action("Hide", `Hide ${result.id}`, () => does.hide(result)),
    ),
  );
  const article = make("article", { className: "card", ariaLabel: result.id }, picture, body, like);
  return make("li", {}, article);
}

export function setLiked(article, liked) {
  article.classList.toggle("liked", liked);
  article.querySelector(".like").ariaPressed = String(liked);
}

// The heaviest attributes, with how similar they are.
function cosines(result, weights) {
  const names = Object.keys(result.cosines)
    .sort((a, b) => Math.abs(weights[b]) - Math.abs(weights[a]) || result.cosines[b] - result.cosines[a])
    .slice(0, LISTED);
  return make(
    "dl",
    { className: "similar" },
    ...names.flatMap((name) => [
      make("dt", { title: words(name) }, words(name)),
      make(
        "dd",
        {},
        bar(result.cosines[name]),
        make("span", { className: "number" }, result.cosines[name].toFixed(2)),
      ),
    ]),
  );
}

function facts(result) {
  const known = Object.entries(result.metadata).map(([name, value]) => `${words(name)} ${value}`);
  if (result.others.length) known.push(plural(result.others.length, "more photograph"));
  return known.length ? [make("p", { className: "facts" }, known.join(" · "))] : [];
}

function action(text, label, run) {
  const button = make("button", { type: "button", className: "quiet", ariaLabel: label }, text);
  button.dataset.action = text;
  button.addEventListener("click", run);
  return button;
}
