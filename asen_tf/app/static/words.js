// What the visitor says in words, and what the server understood: values that can be taken away.

import { find, make, words } from "./elements.js";

const field = find("#words");
const chips = find("#understood");
const unread = find("#not-understood");

let said = { text: "", wanted: {}, unwanted: {}, free: "" }; // the text, and what is left of it

const text = () => field.value.trim();

export const areSaid = () =>
  text() !== said.text ? Boolean(text()) : Object.keys({ ...said.wanted, ...said.unwanted }).length > 0 || Boolean(said.free);

// The part of a request: a new text as it is, or what is left of one that was understood.
export const asked = () =>
  text() === said.text ? { wanted: said.wanted, unwanted: said.unwanted, free: said.free } : { text: text() };

// Shows what an answer says of a request.
export function showUnderstood({ text: sent }, { understood = { wanted: {}, unwanted: {} }, unknown = [] }, changed) {
  if (sent !== undefined) {
    unread.textContent = unknown.map((one) => `“${one.words}”: ${one.why}`).join("\n");
    unread.hidden = !unknown.length;
  }
  said = { text: sent ?? said.text, wanted: { ...understood.wanted }, unwanted: { ...understood.unwanted }, free: understood.free ?? "" };
  const every = [["wanted", ""], ["unwanted", "not "]].flatMap(([kind, sign]) =>
    Object.entries(said[kind]).map(([name, values]) =>
      chip(`${words(name)}: ${sign}${values.map(words).join(" or ")}`, () => delete said[kind][name], changed),
    ),
  );
  if (said.free) every.push(chip(`as text: ${said.free}`, () => (said.free = ""), changed));
  const isFocused = chips.contains(document.activeElement);
  chips.replaceChildren(...every);
  chips.hidden = !every.length;
  if (isFocused) (find("button", chips) ?? field).focus();
}

export function forgetWords() {
  field.value = "";
  showUnderstood({ text: "" }, {});
}

function chip(shown, takeAway, changed) {
  const button = make("button", { type: "button", ariaLabel: `Take away ${shown}` }, shown);
  button.addEventListener("click", () => {
    takeAway();
    button.parentElement.remove();
    chips.hidden = !chips.children.length;
    (find("button", chips) ?? field).focus();
    changed();
  });
  return make("li", {}, button);
}
