// What an open page learns without being asked again: that a part of it is to be drawn anew, and how many alarms are
// open. One stream for a page, closed while nobody looks at it: a browser opens only a few connections to one server.
"use strict";

(() => {
  const page = document.querySelector("[data-live]");
  if (!page) return;
  const GIVES_UP_MS = 5000; // an answer that is no stream (signed out, server away behind a proxy): ask again then
  let stream = null;
  let waiting = 0;
  let seen = page.dataset.liveAfter;

  const drawAnew = () => document.querySelectorAll("[data-live-part]").forEach((part) => htmx.trigger(part, "live"));

  const count = (number) => document.querySelectorAll("[data-live-count]").forEach((place) => {
    place.textContent = number;
    place.toggleAttribute("hidden", number === "0" && place.hasAttribute("data-live-none"));
  });

  const close = () => {
    window.clearTimeout(waiting);
    if (stream) stream.close();
    stream = null;
  };

  const open = () => {
    close();
    const address = new URL(page.dataset.live, window.location.href);
    address.searchParams.set("after", seen);
    stream = new EventSource(address);
    stream.addEventListener("changed", (event) => { seen = event.lastEventId; drawAnew(); });
    stream.addEventListener("alarms", (event) => { seen = event.lastEventId; count(event.data); });
    stream.addEventListener("error", () => {
      if (stream.readyState !== EventSource.CLOSED) return; // the browser comes back by itself, with Last-Event-ID
      drawAnew(); // where the session ended, the answer leads to the sign-in page
      waiting = window.setTimeout(open, GIVES_UP_MS);
    });
  };

  document.addEventListener("visibilitychange", () => { if (document.hidden) close(); else open(); });
  window.addEventListener("pagehide", close);
  if (!document.hidden) open();
})();
