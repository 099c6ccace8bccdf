// The signature: strokes of [x, y] in canvas pixels go into the form when it is sent; nothing leaves the page before.
"use strict";

document.querySelectorAll("form[data-signature]").forEach((form) => {
  const canvas = form.querySelector("canvas");
  const pad = new SignaturePad(canvas, { penColor: "#17283a", minWidth: 0.8, maxWidth: 2.4, minDistance: 2 });

  function fit() {
    const scale = Math.max(window.devicePixelRatio || 1, 1);
    const drawn = pad.toData();
    canvas.width = canvas.offsetWidth * scale;
    canvas.height = canvas.offsetHeight * scale;
    canvas.getContext("2d").scale(scale, scale);
    pad.clear();
    pad.fromData(drawn);
  }

  window.addEventListener("resize", fit);
  form.querySelector("[data-clear]").addEventListener("click", () => pad.clear());
  form.addEventListener("submit", () => {
    const strokes = pad.toData().map((stroke) => stroke.points.map((point) => [point.x, point.y]));
    form.elements.strokes.value = JSON.stringify(strokes);
    form.elements.width.value = String(canvas.offsetWidth);
    form.elements.height.value = String(canvas.offsetHeight);
  });
  fit();
});
