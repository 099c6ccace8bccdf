// What the pages need beyond htmx: the form token on its requests, and menus that close. No inline script anywhere.
"use strict";

document.addEventListener("htmx:configRequest", (event) => {
  const token = document.querySelector('meta[name="csrf-token"]');
  if (token && event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = token.content;
});

// On a narrow screen the sections scroll sideways: the one that one is in comes into view.
document.addEventListener("htmx:load", () => {
  const sections = document.querySelector(".places ul");
  const here = sections && sections.querySelector("[aria-current]");
  if (here) sections.scrollLeft = here.offsetLeft + here.offsetWidth - sections.clientWidth;
});

// An answer that says no is shown in the notice area; bring it into view and let it be read out.
document.addEventListener("htmx:responseError", () => {
  const notices = document.getElementById("notices");
  if (notices) notices.scrollIntoView({ block: "nearest" });
});

document.addEventListener("click", (event) => {
  document.querySelectorAll("details.who[open]").forEach((menu) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") document.querySelectorAll("details.who[open]").forEach((menu) => { menu.open = false; });
});

// What looks like a button answers to the space bar like one.
document.addEventListener("keydown", (event) => {
  if (event.key !== " " || !event.target.matches('a[role="button"]')) return;
  event.preventDefault();
  event.target.click();
});

// A person picked among the matches takes the place of whoever was chosen before.
document.addEventListener("change", (event) => {
  const matches = event.target.closest('[id$="_matches"]');
  if (!matches || event.target.type !== "radio") return;
  document.getElementById(matches.id.replace(/_matches$/, "_chosen")).replaceChildren();
});

// Live rows: each entry once, also when a broken stream starts again, and not more of them than the table holds.
document.addEventListener("htmx:sseBeforeMessage", (event) => {
  if (document.getElementById(`entry-${event.detail.lastEventId}`)) event.preventDefault();
});

document.addEventListener("htmx:sseMessage", (event) => {
  const rows = event.target.closest("[data-longest]");
  while (rows && rows.children.length > Number(rows.dataset.longest)) rows.lastElementChild.remove();
});
