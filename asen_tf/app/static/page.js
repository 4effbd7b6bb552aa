// What the visitor looks for, and what becomes of it.

import { get, post, send } from "./api.js";
import { card, setLiked } from "./cards.js";
import { openComparison } from "./compare.js";
import * as controls from "./controls.js";
import { all, bar, find, make, plural, words } from "./elements.js";
import { names as facets, showFacets } from "./facets.js";
import { openGarment } from "./garment.js";
import { photo, showMark, showRegions } from "./photos.js";
import { regionsOf } from "./regions.js";
import { hideTags, showTags } from "./tags.js";
import { areSaid, asked, forgetWords, showUnderstood } from "./words.js";

const COUNT = 24;
const WAIT_MS = 250; // after a control was moved

const form = find("#ask");
const found = find("#found");
const results = find("#results");
const status = find("#status");
const region = find("#region");
const notice = find("#notice");
const feedback = find("#feedback");

const current = {
  query: null, // {item} or {photograph}
  name: "", // of the query
  file: null, // of the photograph, should the server have forgotten it
  box: null, // of the garment in it, [left, top, right, bottom] as shares
  rounds: [], // ids that were liked, of each round
  liked: [],
  hidden: [],
};
let shown = nothing(); // an answer, and its request
let cards = new Map();
let underWay = null;
let timer = null;
let turn = 0;

function nothing() {
  return { results: [], weights: {}, regions: [], query: null, request: null };
}

// Problems.

let again = null;

function tell(problem, retry) {
  find("[data-title]", notice).textContent = problem.title ?? "Something went wrong on this page.";
  find("[data-advice]", notice).textContent = problem.advice ?? String(problem);
  again = retry;
  find("[data-again]", notice).hidden = !retry;
  notice.hidden = false;
  notice.scrollIntoView({ block: "nearest" });
}

function clearNotice() {
  notice.hidden = true;
}

find("[data-dismiss]", notice).addEventListener("click", clearNotice);
find("[data-again]", notice).addEventListener("click", () => {
  clearNotice();
  again();
});

// Runs one request at a time; a newer one ends those before.
async function working(text, run, retry) {
  underWay?.abort();
  const mine = (underWay = new AbortController());
  clearNotice();
  status.textContent = text;
  found.classList.add("busy");
  try {
    await run(mine.signal);
  } catch (error) {
    if (mine !== underWay || error.name === "AbortError") return;
    status.textContent = "";
    if (error.code === "condition") controls.showConditionProblem(`${error.title} ${error.advice}`);
    else tell(error, retry);
  } finally {
    if (mine === underWay) found.classList.remove("busy");
  }
}

// The query.

function receive(file) {
  const limit = Number(form.dataset.uploadBytes);
  if (file.size > limit) {
    // A server that refuses while it is being sent something cannot be heard.
    const title = `${file.name || "The photograph"} is too large.`;
    tell({ title, advice: `The limit is ${limit / 1e6} MB; choose a smaller one.` });
    return;
  }
  clearTimeout(timer);
  return working(
    "Looking at the photograph…",
    async (signal) => {
      const { photograph } = await send("/v1/photographs", file, signal);
      start({ photograph }, file.name || "Your photograph", file);
      await searchNow(signal);
    },
    () => receive(file),
  );
}

// Looks at a part of the photograph, or at the whole of it again.
function cutTo(box) {
  clearTimeout(timer);
  return working(
    "Looking at the garment…",
    async (signal) => {
      const cut = () => post("/v1/cut", { ...current.query, box }, signal);
      const { photograph } = await remembered(cut, signal);
      start({ photograph }, current.name, current.file, box);
      await searchNow(signal);
    },
    () => cutTo(box),
  );
}

function start(query, name, file = null, box = null) {
  Object.assign(current, { query, name, file, box, rounds: [], liked: [], hidden: [] });
  controls.forgetChanges();
}

function lookForItem(id, focus = true) {
  start({ item: id }, id);
  if (focus) found.focus();
  return search();
}

function showQuery() {
  const figure = find("#query");
  figure.hidden = !shown.query;
  if (figure.hidden) return;
  const isItem = shown.query.item !== undefined;
  const name = isItem ? shown.query.item : current.name;
  find("[data-name]", figure).textContent = name;
  const picture = photo(shown.query, `The query: ${name}`);
  if (!isItem) showMark(picture, current.box);
  find("[data-photo]", figure).replaceChildren(picture);
  find("#mark").hidden = isItem;
}

// Search.

function searchRequest() {
  return {
    query: current.query,
    ...asked(),
    // Of words alone, what they say is what counts.
    ...(current.query || current.rounds.length ? { weights: controls.weights() } : {}),
    changes: controls.changes(),
    liked: [...current.rounds],
    measure: controls.measure(),
    exclude: [...current.hidden],
    filters: controls.filters(),
    condition: controls.conditionText(),
    count: COUNT,
  };
}

function search() {
  clearTimeout(timer);
  if (!current.query && !current.rounds.length && !areSaid()) {
    if (shown.results.length) return startOver();
    tell({ title: "There is nothing to look for yet.", advice: "Choose a photograph, or one of the catalogue, or say it in words." });
    find("#file").focus();
    return;
  }
  return working("Searching…", searchNow, search);
}

async function searchNow(signal) {
  controls.showConditionProblem("");
  let request;
  const answer = await remembered(() => post("/v1/search", (request = searchRequest()), signal), signal);
  showUnderstood(request, answer, search);
  shown = { ...answer, request };
  cards = new Map();
  results.replaceChildren();
  showQuery();
  addCards(answer.results);
  showRounds();
  find("#found-title").textContent = "Results";
  find("#start").hidden = true;
  find("#tools").hidden = false;
  say(answer);
  // Regions and tags come later: results wait for nobody.
  lookAt(cards, signal);
  nameValues(signal);
  countValues(signal);
}

// What can be clicked, for as long as the filters are open: counting may take long.
async function countValues(signal) {
  if (!find("#filters").open || !facets.length || !shown.request) return showFacets();
  const count = () => post("/v1/search", { ...shown.request, facets, offset: 0, count: 1 }, signal);
  try {
    showFacets((await remembered(count, signal)).facets);
  } catch (error) {
    if (error.name !== "AbortError") tell(error, () => countValues(signal));
  }
}

async function nameValues(signal) {
  if (!shown.query) return hideTags();
  try {
    await remembered(() => showTags(shown.query, signal), signal);
  } catch (error) {
    if (error.name !== "AbortError") tell(error, () => nameValues(signal));
  }
}

// Sends a photograph once more that the server has forgotten.
async function remembered(run, signal) {
  try {
    return await run();
  } catch (error) {
    if (error.code !== "photograph_gone" || !current.file) throw error;
    let { photograph } = await send("/v1/photographs", current.file, signal);
    if (current.box) ({ photograph } = await post("/v1/cut", { photograph, box: current.box }, signal));
    const before = current.query.photograph;
    current.query = { photograph };
    for (const one of [shown, shown.request]) {
      if (one?.query?.photograph === before) one.query = { photograph };
    }
    return run();
  }
}

function more() {
  // Of what is shown, whatever was entered meanwhile.
  const next = () => ({ ...shown.request, exclude: current.hidden, offset: shown.results.length });
  return working(
    "Searching…",
    async (signal) => {
      const answer = await remembered(() => post("/v1/search", next(), signal), signal);
      shown.results.push(...answer.results);
      shown.more = answer.more;
      const added = addCards(answer.results);
      say(shown);
      find(".like", added.values().next().value ?? results)?.focus();
      lookAt(added, signal);
    },
    more,
  );
}

function addCards(found) {
  const does = { like, hide, more: ({ id }) => lookForItem(id), compare: openFor };
  const added = new Map(found.map((result) => [result.id, card(result, shown, does)]));
  for (const [id, element] of added) cards.set(id, element);
  results.append(...added.values());
  return added;
}

function say({ results: found, more: isMore }) {
  status.textContent = found.length
    ? `${isMore ? "The first " : ""}${plural(found.length, "item")}, most similar first`
    : "Nothing meets all of that. Take away a filter.";
  find("#more").hidden = !isMore;
  const isAlone = found.length + Boolean(shown.query) < 2;
  for (const button of all('[data-action="Compare"]', results)) button.hidden = isAlone;
  const unhide = find("#unhide");
  unhide.hidden = !current.hidden.length;
  unhide.textContent = `Show ${current.hidden.length} hidden`;
}

// Regions.

function attributesShown() {
  if (region.value === "none") return [];
  return region.value === "auto" ? shown.regions : [region.value];
}

async function lookAt(elements, signal) {
  const attributes = attributesShown();
  find("#legend").replaceChildren(...attributes.map((name) => make("span", {}, words(name))));
  const photos = [...elements.values()].map((one) => find(".photo", one));
  if (shown.query) photos.unshift(find("#query .photo"));
  const items = [...elements.keys()].map((item) => ({ item }));
  try {
    const look = () => regionsOf(shown.query ? [shown.query, ...items] : items, attributes, signal);
    const regions = await remembered(look, signal);
    photos.forEach((element, n) => showRegions(element, attributes, regions[n]));
  } catch (error) {
    if (error.name === "AbortError") return;
    find("#legend").replaceChildren();
    tell(error, () => lookAt(elements, signal));
  }
}

region.addEventListener("change", async () => {
  // In parts that one request may hold.
  const every = [...cards];
  for (let n = 0; n < Math.max(1, every.length); n += COUNT) {
    await lookAt(new Map(every.slice(n, n + COUNT)), underWay.signal);
  }
});

// Feedback.

function like({ id }) {
  const at = current.liked.indexOf(id);
  if (at < 0) current.liked.push(id);
  else current.liked.splice(at, 1);
  showLiked();
}

function showLiked() {
  for (const [id, element] of cards) {
    setLiked(find(".card", element), current.liked.includes(id));
  }
  // Behind the card that was liked last, where Tab leads next.
  const last = current.liked.findLast((id) => cards.has(id));
  (cards.get(last) ?? found).append(feedback);
  feedback.hidden = !current.liked.length;
  find("[data-count]", feedback).textContent =
    current.liked.length === 1
      ? "1 liked; like another to say what matters"
      : `${current.liked.length} liked`;
}

function searchAgain() {
  current.rounds.push(current.liked);
  current.liked = [];
  found.focus();
  return search();
}

function showRounds() {
  const learned = find("#learned");
  learned.hidden = !current.rounds.length;
  showLiked();
  if (learned.hidden) return;
  const taken = current.rounds.flat().includes(shown.query?.item);
  find("[data-rounds]", learned).textContent =
    `After ${plural(current.rounds.length, "round")} of feedback, attributes count by so much. ` +
    (taken ? `${shown.query.item}, which you liked, is the query now.` : "The query is the one you began with.");
  const sorted = Object.entries(shown.weights).filter(([, share]) => share).sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
  const most = Math.abs(sorted[0][1]);
  find("dl", learned).replaceChildren(
    ...sorted.map(([name, share]) =>
      make(
        "div",
        {},
        make("dt", {}, words(name)),
        make("dd", {}, bar(Math.abs(share) / most), make("span", { className: "number" }, `${Math.round(100 * share)} %`)),
      ),
    ),
  );
}

function hide({ id }) {
  const ids = [...cards.keys()];
  const next = ids[ids.indexOf(id) + 1];
  current.hidden.push(id);
  current.liked = current.liked.filter((other) => other !== id);
  cards.get(id).remove();
  cards.delete(id);
  shown.results = shown.results.filter((other) => other.id !== id);
  showLiked();
  say(shown);
  (find(".like", cards.get(next) ?? document.createElement("li")) ?? found).focus();
}

function openFor({ id }) {
  const ids = shown.results.map((result) => result.id);
  const choices = ids.map((item) => ({ name: item, reference: { item } }));
  if (shown.query) {
    choices.unshift({ name: `The query, ${shown.query.item ?? current.name}`, reference: shown.query });
  }
  openComparison(choices, ids.indexOf(id) + choices.length - ids.length, attributesShown()[0] ?? shown.regions[0]);
}

// The beginning.

async function showItems() {
  try {
    const { items } = await get(`/v1/items?spread=true&offset=${turn}`);
    find("#items").replaceChildren(
      ...items.map(({ id }) => {
        const button = make(
          "button",
          { type: "button" },
          photo({ item: id }, `Look for what is like ${id}`),
          make("span", { className: "name", ariaHidden: "true" }, id),
        );
        button.addEventListener("click", () => lookForItem(id));
        return make("li", {}, button);
      }),
    );
  } catch (error) {
    tell(error, showItems);
  }
}

function startOver() {
  clearTimeout(timer);
  underWay?.abort();
  clearNotice();
  start(null, "");
  forgetWords();
  shown = nothing();
  cards = new Map();
  results.replaceChildren();
  for (const selector of ["#query", "#tools", "#learned", "#more"]) find(selector).hidden = true;
  hideTags();
  showFacets();
  showLiked();
  find("#start").hidden = false;
  find("#found-title").textContent = "Start from the catalogue";
  status.textContent = "";
  find("#file").focus();
}

async function checkModel() {
  try {
    const { problem } = await get("/v1/health");
    if (problem) tell(problem, checkModel);
  } catch (error) {
    tell(error, checkModel);
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  search();
});
find("#file").addEventListener("change", (event) => {
  const [file] = event.target.files;
  if (file) receive(file);
  event.target.value = ""; // the same file may be chosen again
});
for (const [name, over] of [["dragenter", true], ["dragleave", false], ["drop", false]]) {
  find(".drop").addEventListener(name, () => find(".drop").classList.toggle("over", over));
}
find("#by-id").addEventListener("submit", (event) => {
  event.preventDefault();
  lookForItem(find("#item-id").value.trim());
});
find("#others").addEventListener("click", () => {
  turn += 1;
  showItems();
});
find("#more").addEventListener("click", more);
find("#again").addEventListener("click", searchAgain);
find("#undo").addEventListener("click", () => {
  current.rounds.pop();
  found.focus();
  search();
});
find("#unlike").addEventListener("click", () => {
  current.liked = [];
  showLiked();
  found.focus();
});
find("#unhide").addEventListener("click", () => {
  current.hidden = [];
  search();
});
find("#filters").addEventListener("toggle", () => countValues(underWay?.signal));
find("#mark").addEventListener("click", () => openGarment(shown.query, current.box, cutTo));
find("#start-over").addEventListener("click", startOver);

controls.listen(() => {
  clearTimeout(timer);
  if (current.query || areSaid()) timer = setTimeout(search, WAIT_MS);
});
// Where there is little room, results come first.
if (matchMedia("(max-width: 60rem)").matches) find("#attributes").open = false;
showItems();
checkModel();
