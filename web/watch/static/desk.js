"use strict";
// What every page of the dashboard can do without asking: nothing here is needed to use one.
(() => {
  // A form that was sent is not sent again by a second press; back brings its button back.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) return event.preventDefault();
    if (form.method === "post" && !form.hasAttribute("hx-post")) form.dataset.sent = "1";
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });
  // "data-print" prints the page.
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-print]")) window.print();
  });
  // "data-copy" copies what stands in the element that it names.
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
    button.textContent = "Copied";
  });
  // "data-filter" shows, of the list that it names, what has the words that are typed: each by its "data-words".
  for (const input of document.querySelectorAll("input[data-filter]")) {
    const list = document.querySelector(input.dataset.filter);
    const opened = new Map([...list.querySelectorAll("details")].map((one) => [one, one.open]));
    input.closest("[hidden]")?.removeAttribute("hidden");
    input.addEventListener("input", () => {
      const wanted = input.value.toLowerCase().trim();
      for (const one of list.querySelectorAll("[data-words]")) one.hidden = !one.dataset.words.includes(wanted);
      for (const [one, was] of opened) {
        const found = one.querySelector("[data-words]:not([hidden])");
        one.hidden = !found;
        one.open = wanted ? true : was;
      }
    });
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") event.preventDefault();
    });
  }
})();
