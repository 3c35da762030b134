// Says so when the page is no longer alive, and makes it inert: a button that does nothing is worse than none.
(function () {
  "use strict";
  const page = JSON.parse(document.getElementById("jupyter-config-data").textContent);
  const banner = document.getElementById("gridlib-lost");
  const EVERY_MS = 2500;
  const NOTHING = "Nothing you press on this page is done.";
  const CAUSES = {
    ended: "This screen has ended.",
    signedOut: "You are signed out.",
    noServer: "No connection to the server.",
    noAnswer: "This screen gets no answer: what it shows is old.",
  };
  let failures = 0;
  let over = false;
  let acts = false;

  for (const sign of ["pointerdown", "keydown"]) {
    addEventListener(sign, () => { acts = true; }, { capture: true, passive: true });
  }

  document.getElementById("gridlib-reload").addEventListener("click", () => location.reload());
  window.addEventListener("gridlib-no-answer", () => lost("noAnswer"));

  // The frame brings the words in the reader's language; before it is shown there are only ours.
  function lost(cause) {
    if (over) return;
    over = true;
    const words = document.getElementById("lost-words")?.dataset ?? {};
    document.getElementById("gridlib-lost-text").textContent = words[cause] ?? `${CAUSES[cause]} ${NOTHING}`;
    document.getElementById("gridlib-reload").textContent = words.reload ?? "Reload";
    banner.hidden = false;
    for (const part of document.body.children) {
      if (part !== banner) part.inert = true;
    }
    document.getElementById("gridlib-reload").focus();
  }

  async function check() {
    try {
      // Only who does something stays signed in; an open page alone does not count.
      const answer = await fetch(`${page.baseUrl}gridlib/alive/${page.kernelId}${acts ? "?acts=1" : ""}`, {
        cache: "no-store", redirect: "error", signal: AbortSignal.timeout(4000),
      });
      acts = false;
      if (answer.status === 410) return lost("ended");
      if (answer.status === 401 || answer.status === 403) return lost("signedOut");
      failures = answer.ok ? 0 : failures + 1;
    } catch {
      failures += 1;
    }
    if (failures >= 2) lost("noServer");
  }

  async function watch() {
    await check();
    if (!over) setTimeout(watch, EVERY_MS);
  }

  // A page brought back from the browser's memory has lost its connection to the kernel.
  window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  setTimeout(watch, EVERY_MS);
})();
