// What the pages need beyond htmx: the form token on its requests, and menus that close. No inline script anywhere.
"use strict";

document.addEventListener("htmx:configRequest", (event) => {
  const token = document.querySelector('meta[name="csrf-token"]');
  if (token && event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = token.content;
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
