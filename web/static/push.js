// Asks the browser for notifications, and tells the school where it is reached. Everything else is words of the page.
"use strict";
const place = document.getElementById("push");
const on = document.getElementById("on"), off = document.getElementById("off");
const secret = location.pathname.split("/").pop();

function show(state, why = "") {
  document.getElementById("why").textContent = why;
  for (const each of place.querySelectorAll("[data-when]")) each.hidden = each.dataset.when !== state;
  on.hidden = !["off", "failed"].includes(state);
  off.hidden = state !== "on";
}

function bytes(word) {
  const raw = atob(word.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(raw, (letter) => letter.charCodeAt(0));
}

async function tell(what, subscription) {
  const answer = await fetch(secret, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    credentials: "omit",
    body: JSON.stringify({ do: what, subscription }),
    signal: AbortSignal.timeout(30_000),
  });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.message ? `${said.message}.` : "");
  return said.subscribed;
}

function registered() {
  // A worker of its own for each link: what it shows leads to the page of its own group.
  return navigator.serviceWorker.register("worker.js", { scope: secret, updateViaCache: "none" });
}

function isOurs(subscription) {
  const theirs = subscription.options && subscription.options.applicationServerKey;
  if (!theirs) return true;
  const now = bytes(place.dataset.key), then = new Uint8Array(theirs);
  return now.length === then.length && now.every((byte, at) => byte === then[at]);
}

async function known() {
  const registration = await navigator.serviceWorker.getRegistration(secret);
  const found = registration && (await registration.pushManager.getSubscription());
  return found && isOurs(found) ? found : null;
}

async function begin() {
  show("asking");
  if ((await Notification.requestPermission()) !== "granted") {
    show(Notification.permission === "denied" ? "denied" : "off");
    return;
  }
  const registration = await registered();
  let made = await registration.pushManager.getSubscription();
  if (made && !isOurs(made)) {
    await made.unsubscribe(); // the school has another key since
    made = null;
  }
  made ??= await registration.pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: bytes(place.dataset.key),
  });
  try {
    await tell("begin", made);
  } catch (fault) {
    await made.unsubscribe();
    throw fault;
  }
  show("on");
}

async function end() {
  const made = await known();
  if (made) {
    await tell("end", made);
    await made.unsubscribe();
  }
  show("off");
}

async function look() {
  const onApple = /iPhone|iPad/.test(navigator.userAgent) || (navigator.maxTouchPoints > 1 && /Mac/.test(navigator.userAgent));
  if (!("serviceWorker" in navigator && "PushManager" in window && "Notification" in window)) {
    show(onApple && !navigator.standalone ? "home" : "unsupported");
    return;
  }
  if (Notification.permission === "denied") {
    show("denied");
    return;
  }
  const made = await known();
  show(made && (await tell("look", made)) ? "on" : "off");
}

function attempt(what) {
  on.disabled = off.disabled = true;
  what()
    .catch((fault) => show("failed", fault instanceof TypeError || fault.name === "AbortError" ? "" : fault.message))
    .finally(() => (on.disabled = off.disabled = false));
}

on.addEventListener("click", () => attempt(begin));
off.addEventListener("click", () => attempt(end));
attempt(look);
