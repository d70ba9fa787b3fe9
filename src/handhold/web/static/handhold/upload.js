// Shows how far an upload is. Without this script the form does the same, and the browser shows it.
"use strict";
for (const form of document.querySelectorAll("form[data-upload]")) {
  const box = form.querySelector(".hh-progress");
  const bar = box.querySelector("progress");
  const said = box.querySelector("[role=status]");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("X-Requested-With", "XMLHttpRequest");
    request.upload.addEventListener("progress", (at) => {
      if (!at.lengthComputable) return;
      bar.value = (100 * at.loaded) / at.total;
      said.textContent = `${Math.floor(bar.value)} %`;
    });
    request.addEventListener("load", () => {
      const next = request.status === 201 && request.getResponseHeader("Location");
      if (next) {
        window.location.assign(next);
      } else {
        document.open();
        document.write(request.responseText);
        document.close();
      }
    });
    request.addEventListener("error", () => form.submit());
    form.querySelector("button").disabled = true;
    box.hidden = false;
    request.send(new FormData(form));
  });
}
