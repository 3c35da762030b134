// One open page. The server side draws regions of HTML; this shows them without losing what somebody is
// writing, and passes on what is chosen (the address after #) and what is pressed (forms with data-action).
const REFRESH_MS = 30000;
const PATIENCE_MS = 60000;
const WRITING_MS = 600;

class Page {
  constructor(model, root) {
    this.model = model;
    this.root = root;
    this.shown = {};
    this.layout = null;
    this.number = 0;
    this.waiting = null;
    this.drafts = new Map();
    this.skewMs = 0;
    root.classList.add("gridlib");
    this.stops = [
      listen(root, "submit", (event) => this.submitted(event)),
      listen(root, "change", (event) => this.changed(event)),
      listen(root, "input", (event) => this.written(event)),
      listen(root, "click", (event) => this.clicked(event)),
      listen(root, "keydown", (event) => this.moved(event)),
      listen(window, "hashchange", () => this.chosen()),
      every(REFRESH_MS, () => document.hidden || this.waiting || this.ask()),
      every(1000, () => this.tick()),
    ];
    model.on("msg:custom", (answer) => this.answered(answer));
    this.ask();
  }

  stop() {
    for (const stop of this.stops) stop();
  }

  state() {
    return Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  }

  choose(changes) {
    const state = { ...this.state(), ...changes };
    for (const name of Object.keys(state)) if (!state[name]) delete state[name];
    const address = "#" + new URLSearchParams(state);
    if (address === "#" + location.hash.slice(1)) return false;
    history.pushState(null, "", address);
    return true;
  }

  chosen() {
    this.say("", "");
    this.ask();
  }

  // One action at a time: while one is under way nothing else can be pressed, so a double click acts once.
  ask({ action = "", fields = {}, form = "", later = false, quiet = false } = {}) {
    if (this.waiting?.action) return;
    clearTimeout(this.waiting?.timer);
    const number = ++this.number;
    const timer = setTimeout(() => this.silent(number), PATIENCE_MS);
    this.waiting = { number, action: quiet ? "" : action, form, timer };
    if (this.waiting.action) this.root.setAttribute("aria-busy", "true");
    this.model.send({ number, action, fields, later, state: this.state() });
  }

  silent(number) {
    if (this.waiting?.number === number) window.dispatchEvent(new Event("gridlib-no-answer"));
  }

  answered(answer) {
    if (answer.number !== this.waiting?.number) return;
    const { action, form, timer } = this.waiting;
    const sent = answer.kind === "done" ? form : "";
    clearTimeout(timer);
    this.waiting = null;
    this.root.removeAttribute("aria-busy");
    if (answer.kind === "lost") return window.dispatchEvent(new Event("gridlib-no-answer"));
    if (answer.now) this.skewMs = answer.now - Date.now();
    if (answer.layout && answer.layout !== this.layout) this.lay(answer);
    if (answer.state && action) {
      history.replaceState(null, "", "#" + new URLSearchParams(answer.state));
    }
    for (const [region, html] of Object.entries(answer.regions ?? {})) this.redraw(region, html, sent);
    if (action || answer.kind !== "done") this.say(answer.said, answer.kind);
    this.rest();
    this.tick();
    if ((answer.later ?? []).some((region) => this.isBlank(region))) this.ask({ later: true });
  }

  lay(answer) {
    this.layout = answer.layout;
    this.shown = {};
    document.documentElement.lang = answer.language;
    document.documentElement.dir = answer.language === "ar" ? "rtl" : "ltr";
    document.title = `${answer.title} · gridlib`;
    this.root.innerHTML = answer.layout;
  }

  // Only what differs is replaced; what is being written, where the keyboard is, and what is folded open stay.
  redraw(region, html, sent) {
    const place = this.root.querySelector(`[data-region="${CSS.escape(region)}"]`);
    if (!place || this.shown[region] === html) return;
    this.shown[region] = html;
    const active = place.contains(document.activeElement) ? document.activeElement : null;
    const focused = active?.id;
    const caret = active && "selectionStart" in active ? [active.selectionStart, active.selectionEnd] : null;
    const written = [...place.querySelectorAll("input[id], textarea[id], select[id]")].filter(
      (field) => isWritten(field) && !(sent && field.form?.id === sent),
    );
    const concerns = new Map(written.map((field) => [field, concern(field)]));
    const open = [...place.querySelectorAll("details[id][open]")].map((part) => part.id);
    place.innerHTML = html;
    for (const inner of place.querySelectorAll("[data-region]")) delete this.shown[inner.dataset.region];
    for (const old of written) {
      const field = place.querySelector(`#${CSS.escape(old.id)}`);
      if (field && concern(field) === concerns.get(old)) field.value = old.value;
    }
    for (const id of open) place.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
    const next = focused && place.querySelector(`#${CSS.escape(focused)}`);
    if (next) {
      next.focus({ preventScroll: true });
      if (caret && caret[0] !== null) next.setSelectionRange(...caret);
    }
  }

  isBlank(region) {
    return this.root.querySelector(`[data-region="${CSS.escape(region)}"]`)?.childElementCount === 0;
  }

  // On old data nothing is decided: the forms that need fresh data rest until they are.
  rest() {
    const stale = this.root.querySelector("[data-stale]") !== null;
    for (const form of this.root.querySelectorAll("form[data-fresh]")) form.inert = stale;
  }

  say(html, kind) {
    const line = this.root.querySelector("#said");
    if (!line) {
      this.root.innerHTML = `<main><p class="fault" role="alert">${html ?? ""}</p></main>`;
      return;
    }
    line.className = kind;
    line.innerHTML = html ?? "";
  }

  submitted(event) {
    const form = event.target.closest("form[data-action], form[data-state]");
    if (!form) return;
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(form, event.submitter));
    if (form.dataset.action) this.ask({ action: form.dataset.action, fields, form: form.id });
    else if (this.choose(fields)) this.chosen();
  }

  changed(event) {
    const form = event.target.closest("form[data-state]");
    if (form && this.choose(Object.fromEntries(new FormData(form)))) this.chosen();
  }

  // What is written and not sent is kept as a draft, so that a reload or a dead screen loses nothing.
  written(event) {
    const form = event.target.closest("form[data-draft]");
    const filter = event.target.closest("form[data-state]");
    if (form) {
      const fields = { ...Object.fromEntries(new FormData(form)), draft: form.dataset.draft };
      this.soon(form.dataset.draft, () => this.ask({ action: "draft", fields, quiet: true }));
    } else if (filter && event.target.type === "search") {
      this.soon("filter", () => this.choose(Object.fromEntries(new FormData(filter))) && this.ask());
    }
  }

  soon(name, what) {
    clearTimeout(this.drafts.get(name));
    this.drafts.set(name, setTimeout(what, WRITING_MS));
  }

  clicked(event) {
    if (event.target.closest("[data-print]")) window.print();
    const skip = event.target.closest("a[data-skip]");
    if (skip) {
      event.preventDefault();
      this.root.querySelector("#content").focus();
    }
  }

  moved(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const row = event.target.closest("[data-row]");
    if (!step || !row) return;
    const rows = [...row.closest("[data-rows]").querySelectorAll("[data-row]")];
    const next = rows[rows.indexOf(row) + step];
    if (next) {
      event.preventDefault();
      next.focus();
    }
  }

  tick() {
    const now = Date.now() + this.skewMs;
    for (const part of this.root.querySelectorAll("[data-since]")) {
      const minutes = Math.max(0, Math.floor((now - Date.parse(part.dataset.since)) / 60000));
      const text = `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}`;
      if (part.textContent !== text) part.textContent = text;
    }
    for (const part of this.root.querySelectorAll("[data-clock]")) {
      part.textContent = new Intl.DateTimeFormat("en-GB", {
        timeZone: part.dataset.clock, hour: "2-digit", minute: "2-digit", second: "2-digit",
      }).format(now);
    }
  }
}

function listen(target, name, what) {
  target.addEventListener(name, what);
  return () => target.removeEventListener(name, what);
}

function every(ms, what) {
  const timer = setInterval(what, ms);
  return () => clearInterval(timer);
}

// What is written for one plan, order or transformer must never be sent for another.
function concern(field) {
  const hidden = [...(field.form?.querySelectorAll("input[type=hidden]") ?? [])];
  const named = hidden.filter((input) => input.name !== "rev").map((input) => `${input.name}=${input.value}`);
  return [field.form?.dataset.draft ?? "", ...named].join("&");
}

function isWritten(field) {
  if (field.tagName === "SELECT") {
    const options = [...field.options];
    const given = Math.max(0, options.findLastIndex((option) => option.defaultSelected));
    return field.selectedIndex !== given;
  }
  return field.value !== field.defaultValue;
}

export default {
  render({ model, el }) {
    const page = new Page(model, el);
    return () => page.stop();
  },
};
