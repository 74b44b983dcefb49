"use strict";
// Keeps the page as the server has it: parts that changed come as HTML and take the place of the old ones.
(() => {
  const live = document.getElementById("live");
  if (!live || !live.dataset.events || !window.EventSource) return;
  const state = document.getElementById("live-state");
  const pause = document.getElementById("live-pause");
  const said = document.getElementById("said");
  const SAY_EVERY = 10000; // milliseconds: a screen reader is told no more often
  let source = null;
  let paused = false;
  let saidAt = 0;
  let saying = 0;
  let toSay = "";
  // Each part as it came: a chart that is drawn in it since, or a fold that somebody opened, is no news.
  const came = new Map([...live.children].map((part) => [part.id, part.outerHTML]));

  function show(text, how) {
    if (state.textContent !== text) state.textContent = text;
    state.dataset.how = how;
  }

  function take(html) {
    const template = document.createElement("template");
    template.innerHTML = html;
    const sent = template.content.firstElementChild;
    for (const fresh of [...sent.children]) {
      const old = document.getElementById(fresh.id);
      const html = fresh.outerHTML;
      if (!old) live.append(fresh);
      else if (came.get(fresh.id) !== html) replace(old, fresh);
      came.set(fresh.id, html);
    }
    arrange(sent.dataset.order.split(" "));
    speak();
  }

  function replace(old, fresh) {
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    const scrolled = old.querySelector(".scroll")?.scrollLeft ?? 0;
    const opened = folds(old).filter((one) => one.open);
    for (const one of folds(fresh)) if (opened.some((was) => fold(was) === fold(one))) one.open = true;
    old.replaceWith(fresh);
    const region = fresh.querySelector(".scroll");
    if (region) region.scrollLeft = scrolled;
    if (!focused) return;
    const same = focused.matches(".scroll")
      ? region
      : [...fresh.querySelectorAll("a")].find((a) => a.getAttribute("href") === focused.getAttribute("href"));
    same?.focus({ preventScroll: true });
  }

  // What folds open by itself; those of a chart are the chart's own.
  function folds(part) {
    return [...part.querySelectorAll("details")].filter((one) => !one.closest("figure"));
  }

  function fold(one) {
    return one.querySelector("summary").textContent;
  }

  function arrange(order) {
    const wanted = new Set(order);
    for (const part of [...live.children]) if (!wanted.has(part.id)) part.remove();
    let at = live.firstElementChild;
    for (const id of order) {
      const part = document.getElementById(id);
      if (part === at) at = at.nextElementSibling;
      else if (part) live.insertBefore(part, at);
    }
  }

  // While it is counted nothing is given to be said: the next count is, as soon as a sentence may be said again.
  function speak() {
    toSay = live.querySelector("[data-said]")?.dataset.said || toSay;
    clearTimeout(saying);
    const wait = Math.max(0, saidAt + SAY_EVERY - Date.now());
    saying = setTimeout(() => {
      if (toSay && toSay !== said.textContent) {
        said.textContent = toSay;
        saidAt = Date.now();
      }
    }, wait);
  }

  function open() {
    if (source || paused || document.hidden) return;
    source = new EventSource(live.dataset.events);
    source.onopen = () => show("Live", "live");
    source.addEventListener("parts", (event) => take(event.data));
    source.addEventListener("ended", () => window.location.reload());
    source.onerror = () => {
      const gone = source.readyState === EventSource.CLOSED;
      show(gone ? "Not live: refresh the page" : "The line broke, trying again", "broken");
    };
  }

  function close() {
    source?.close();
    source = null;
  }

  pause.addEventListener("click", () => {
    paused = !paused;
    pause.textContent = paused ? "Go on" : "Pause updates";
    if (paused) {
      close();
      show("Paused", "paused");
    } else open();
  });
  // A tab that nobody sees costs nobody anything; it is brought up to date when it is looked at again.
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  window.addEventListener("pagehide", close);
  // Whoever signs out ends the stream, too; without this its end would read the page anew in the way of the answer.
  document.addEventListener("submit", close);
  window.addEventListener("pageshow", (event) => event.persisted && open());

  state.hidden = false;
  pause.hidden = false;
  show("Connecting", "broken");
  open();
})();
