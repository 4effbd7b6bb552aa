// Weights, changes and filters: what they say, and how they follow one another.

import { all, find } from "./elements.js";

const rows = all(".attribute");
const fields = all("[data-field]");
const condition = find("#condition");
const problem = find("#condition-problem");
const badge = find("#filters [data-set]");

export const weights = () =>
  Object.fromEntries(rows.map((row) => [row.dataset.attribute, slider(row).valueAsNumber]));

export const changes = () =>
  Object.fromEntries(
    rows
      .map((row) => [row.dataset.attribute, find("select", row)?.value])
      .filter(([, value]) => value),
  );

export const measure = () => find("#measure").value;

export function filters() {
  const found = {};
  for (const field of fields) {
    for (const input of all("[data-end]", field)) {
      if (!input.value) continue;
      const value = input.type === "number" ? input.valueAsNumber : input.value;
      (found[field.dataset.field] ??= {})[input.dataset.end] = value;
    }
  }
  return found;
}

export const conditionText = () => condition.value;

export function showConditionProblem(text) {
  problem.textContent = text;
  problem.hidden = !text;
  condition.setAttribute("aria-invalid", String(Boolean(text)));
  if (text) {
    find("#filters").open = true;
    condition.focus();
  }
}

export function forgetChanges() {
  for (const row of rows) if (find("select", row)) find("select", row).value = "";
  show();
}

// Calls `changed` when the query changes.
export function listen(changed) {
  const setAll = (weight, only) => {
    for (const row of rows) slider(row).value = row === only ? 1 : weight;
    show();
    changed();
  };
  for (const button of all("[data-weights]")) {
    button.addEventListener("click", () => setAll(button.dataset.weights));
  }
  for (const row of rows) {
    find("[data-only]", row).addEventListener("click", () => setAll(0, row));
    slider(row).addEventListener("input", show);
  }
  for (const control of all(".attribute input, .attribute select, #measure, #filters input, #filters select")) {
    control.addEventListener("change", () => {
      if (control.matches(".attribute select") && control.value) {
        // What is wanted by value should count.
        const weight = slider(control.closest(".attribute"));
        if (weight.valueAsNumber <= 0) weight.value = 1;
      }
      show();
      changed();
    });
  }
  find("#clear-filters").addEventListener("click", () => {
    for (const control of all("#filters input, #filters select")) control.value = "";
    showConditionProblem("");
    show();
    changed();
  });
  show();
}

const slider = (row) => find("input", row);

function show() {
  for (const row of rows) {
    const weight = slider(row).valueAsNumber;
    const text = weight === 0 ? "ignored" : weight < 0 ? `opposite ${-weight}` : String(weight);
    find(".value", row).textContent = text;
    slider(row).setAttribute("aria-valuetext", text);
    row.classList.toggle("ignored", weight === 0);
    row.classList.toggle("changed", Boolean(find("select", row)?.value));
  }
  const count = Object.keys(filters()).length + Boolean(condition.value.trim());
  badge.textContent = `${count} set`;
  badge.hidden = !count;
}
