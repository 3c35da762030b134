(function () {
  "use strict";
  const page = JSON.parse(document.getElementById("jupyter-config-data").textContent);
  const banner = document.getElementById("gridlib-lost");
  const EVERY_MS = 2500;
  let failures = 0;
  let over = false;
  let acts = false;

  for (const sign of ["pointerdown", "keydown"]) {
    addEventListener(sign, () => { acts = true; }, { capture: true, passive: true });
  }

  document.getElementById("rendered_cells").setAttribute("role", "main");
  document.getElementById("gridlib-reload").addEventListener("click", () => location.reload());

  function lost(text) {
    over = true;
    document.getElementById("gridlib-lost-text").textContent = text + " Nothing you press on this page is done.";
    banner.hidden = false;
    for (const part of document.body.children) {
      if (part !== banner) part.inert = true;
    }
  }

  async function check() {
    try {
      // Only who does something stays signed in; an open page alone does not count.
      const answer = await fetch(`${page.baseUrl}gridlib/alive/${page.kernelId}${acts ? "?acts=1" : ""}`, {
        cache: "no-store", redirect: "error", signal: AbortSignal.timeout(4000),
      });
      acts = false;
      if (answer.status === 410) return lost("This screen has ended.");
      if (answer.status === 401 || answer.status === 403) return lost("You are signed out.");
      failures = answer.ok ? 0 : failures + 1;
    } catch {
      failures += 1;
    }
    if (failures >= 2) lost("No connection to the server.");
  }

  async function watch() {
    await check();
    if (!over) setTimeout(watch, EVERY_MS);
  }

  // A page brought back from the browser's memory has lost its connection to the kernel.
  window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  setTimeout(watch, EVERY_MS);
})();
