// Requests to the server; what goes wrong becomes a Problem with a title and an advice.

export class Problem extends Error {
  constructor({ code, title, advice }) {
    super(title);
    Object.assign(this, { code, title, advice });
  }
}

const AWAY = {
  code: "offline",
  title: "This page’s server does not answer.",
  advice: "Start asen-app again, then try again.",
};

const UNREADABLE = {
  code: "unreadable",
  title: "The server’s answer was cut off.",
  advice: "Try again.",
};

export function get(path, signal) {
  return answered(path, { signal });
}

export function post(path, body, signal) {
  const headers = { "Content-Type": "application/json" };
  return answered(path, { method: "POST", headers, body: JSON.stringify(body), signal });
}

export function send(path, file, signal) {
  return answered(path, { method: "POST", body: file, signal });
}

async function answered(path, request) {
  let response;
  try {
    response = await fetch(path, request);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(AWAY);
  }
  let answer;
  try {
    answer = await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(UNREADABLE);
  }
  if (!response.ok) throw new Problem(answer);
  return answer;
}

// A reference is {item: id} or {photograph: name}.
export function pictureOf(reference, size) {
  return `/v1/picture?${new URLSearchParams({ ...reference, size })}`;
}
