// Keys for deciding: 1 2 3 choose, Enter decides, s skips, w goes to the reason, u takes the last word back.
// The page works without this; the keys are shown only where they work.
"use strict";
(() => {
  const keyed = new Map([...document.querySelectorAll("[data-key]")].map((part) => [part.dataset.key, part]));
  document.querySelectorAll("kbd[hidden]").forEach((key) => { key.hidden = false; });
  const form = document.getElementById("decide");
  const writing = (target) => target.matches("textarea, select, input:not([type=radio])");

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (writing(event.target)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (event.key === "Enter" && form && (event.target === document.body || event.target.type === "radio")) {
      event.preventDefault();
      form.requestSubmit();
      return;
    }
    const part = keyed.get(event.key.toLowerCase());
    if (!part) return;
    event.preventDefault();
    if (part.type === "radio") {
      part.checked = true;
      part.focus();
    } else if (part.matches("input")) {
      part.focus();
      part.select();
    } else {
      part.click();
    }
  });

  // A second Enter while the answer is on its way must not decide the next question.
  const button = form && form.querySelector("button");
  if (form) form.addEventListener("submit", () => { button.disabled = true; });
  if (form) window.addEventListener("pageshow", () => { button.disabled = false; });
})();
