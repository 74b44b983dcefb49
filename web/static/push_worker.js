// What a browser starts when something comes: it shows it, once with a sound, and leads to the page when it is pressed.
"use strict";
const KEPT = 100; // announcements that are remembered as shown
const group = new URL(self.registration.scope);

async function wasShown(id) {
  const shown = await caches.open("shown");
  const place = new URL(`shown/${encodeURIComponent(id)}`, group).href;
  if (await shown.match(place)) return true;
  await shown.put(place, new Response(""));
  const all = await shown.keys();
  for (const old of all.slice(0, Math.max(0, all.length - KEPT))) await shown.delete(old);
  return false;
}

async function show(data) {
  let told = {};
  try {
    told = data ? data.json() : {};
  } catch {
    // A browser wants something shown for whatever comes.
  }
  const id = typeof told.id === "string" ? told.id : "";
  const again = id !== "" && (await wasShown(id).catch(() => false));
  await self.registration.showNotification(told.title || told.body || "There is news from school", {
    body: told.title ? told.body : "",
    lang: told.lang || "",
    tag: id,
    silent: again,
    data: { id },
  });
}

async function placeOf(id) {
  const page = new URL(`../a/${encodeURIComponent(id)}`, group);
  const own = new URL(`../feeds/private/${group.pathname.split("/").pop()}#${encodeURIComponent(id)}`, group);
  try {
    const answer = id && (await fetch(page, { method: "HEAD", credentials: "omit", signal: AbortSignal.timeout(3000) }));
    if (answer && answer.ok) return page.href;
  } catch {
    // Then the page of the group says so itself.
  }
  return own.href;
}

async function renew(event) {
  const key = event.oldSubscription && event.oldSubscription.options.applicationServerKey;
  const made =
    event.newSubscription ||
    (key && (await self.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key })));
  if (!made) return;
  await fetch(group, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    credentials: "omit",
    body: JSON.stringify({ do: "begin", subscription: made }),
  });
}

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("push", (event) => event.waitUntil(show(event.data)));
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(placeOf(event.notification.data.id).then((place) => self.clients.openWindow(place)));
});
self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(renew(event)));
