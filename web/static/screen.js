// A screen in a corridor stands for months. What a browser does by itself would end at the first page that says the
// network is away; this keeps what is there, says that it may be old, and goes on trying.
"use strict";
const EVERY = 60_000;
const OLD_AFTER = 10 * EVERY;
let fresh = Date.now();

async function refresh() {
  try {
    const answer = await fetch(location.href, { cache: "no-cache", signal: AbortSignal.timeout(EVERY / 2) });
    if (answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const now = page.getElementById("board"), shown = document.getElementById("board");
      if (now) {
        fresh = Date.now();
        if (!now.isEqualNode(shown)) shown.replaceWith(document.adoptNode(now));
      }
    }
  } catch {
    // The next turn tries again.
  }
  document.getElementById("stale").hidden = Date.now() - fresh < OLD_AFTER;
}

setInterval(refresh, EVERY);
