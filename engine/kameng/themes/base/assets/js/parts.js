// Parts of a page that change without the page being loaded again. A part is a block of the page's template, asked for by the
// header Kameng-Block. Every page is complete without this.
//
//   <k-part block="status" every="10">{% block status %}…{% endblock %}</k-part>      asked for again every ten seconds
//   <k-part block="status" on="{{ document("order_changed") }}" with="{{ {"number": number} | json }}">…     when told so
//   <tbody data-block="rows">{% block rows %}…{% endblock %}</tbody>                   a part where no k-part may stand
//   <a href="?after=…" data-part="rows">…</a>   <form data-part="rows badge" …>        answered by parts alone
//
// An element with data-final in a part ends its refreshing. An element with data-keep is left alone.

import { noteChoice, take, touched } from "./parts-morph.js";

const HEADER = "Kameng-Block";
const SLOWEST = 120;

// The one policy that pages allow. What goes through it comes from this site's own pages and is escaped there.
const policy = globalThis.trustedTypes?.createPolicy("kameng", { createHTML: (text) => text }) ?? { createHTML: (text) => text };

const busy = new WeakMap();
const partNamed = (name) => document.querySelector(`k-part[block="${CSS.escape(name)}"], [data-block="${CSS.escape(name)}"]`);
const here = () => location.pathname + location.search;

/** Ask for one block of a page. */
async function ask(address, block, signal, sent = {}) {
  const answer = await fetch(address, { ...sent, signal, headers: { ...sent.headers, [HEADER]: block } });
  const target = answer.headers.get("Kameng-Location");
  const flash = answer.headers.get("Kameng-Flash");
  const isPart = answer.headers.get(HEADER) === block && !answer.redirected;
  return {
    status: answer.status,
    wait: Number(answer.headers.get("Retry-After")) || 0,
    target,
    flash: flash && decodeURIComponent(flash),
    html: isPart ? await answer.text() : null,
  };
}

/** Show what the server sent for a part. */
function show(part, html, keepTyped) {
  const holder = document.createElement("template");
  holder.innerHTML = policy.createHTML(html);
  const active = part.contains(document.activeElement) ? document.activeElement : null;
  take(part, holder.content, keepTyped);
  if (active && !active.isConnected) {
    const again = (active.id && document.getElementById(active.id)) || part;
    if (again === part && part.tabIndex < 0) {
      part.tabIndex = -1;
    }
    again.focus({ preventScroll: true });
  }
  part.dispatchEvent(new CustomEvent("kameng:part", { bubbles: true, detail: { block: nameOf(part) } }));
}

const nameOf = (part) => part.getAttribute("block") ?? part.dataset.block;

/** Tell those who don't see it what has changed. */
let speaker = null;
function announce(text) {
  if (!speaker) {
    speaker = document.createElement("div");
    speaker.setAttribute("role", "status");
    Object.assign(speaker.style, { position: "absolute", width: "1px", height: "1px", overflow: "hidden", clipPath: "inset(50%)", whiteSpace: "nowrap" });
    document.body.append(speaker);
  }
  speaker.textContent = "";
  setTimeout(() => { speaker.textContent = text; }, 50);
}

/** The message of a form that has just succeeded, where its page would have shown it. */
function showFlash(part, text) {
  document.querySelectorAll("main .flash").forEach((old) => old.remove());
  const line = document.createElement("p");
  line.className = "flash";
  line.textContent = text;
  const toasts = document.querySelector("main .toasts");
  if (toasts) {
    toasts.append(line);
  } else {
    (part.closest("table") ?? part).before(line);
  }
  announce(text);
}

/** Ask for parts because somebody wants to see them; each waits for nobody, and the last one asked for wins. */
async function load(address, names, sent) {
  const part = partNamed(names[0]);
  busy.get(part)?.abort();
  const asking = new AbortController();
  busy.set(part, asking);
  part.setAttribute("aria-busy", "true");
  try {
    return await ask(address, names[0], asking.signal, sent);
  } finally {
    if (busy.get(part) === asking) {
      busy.delete(part);
      part.removeAttribute("aria-busy");
    }
  }
}

async function loadOthers(address, names) {
  for (const name of names) {
    const part = partNamed(name);
    const got = part && (await ask(address, name));
    if (got?.html != null) {
      show(part, got.html, true);
    }
  }
}

const told = (part) => part.querySelector("[role=alert], [role=status], [data-announce]")?.textContent.trim().replace(/\s+/g, " ") ?? "";

/** Go to another view of this page; whatever is no such view is gone to as without scripts. */
async function visit(address, names, { remember = "push" } = {}) {
  const got = await load(address, names).catch((fault) => fault);
  if (got.name === "AbortError") {
    return;
  }
  const part = partNamed(names[0]);
  if (got instanceof Error || got.html === null || !part) {
    location.assign(got.target ?? address);
    return;
  }
  if (remember) {
    if (!history.state?.kamengParts) {
      history.replaceState({ ...history.state, kamengParts: names }, "");
    }
    history[`${remember}State`]({ kamengParts: names }, "", address);
  }
  show(part, got.html, false);
  await loadOthers(address, names.slice(1));
  announce(told(part));
}

/** Send a form. */
async function send(form, submitter, names) {
  const data = new FormData(form, submitter);
  const address = submitter?.getAttribute("formaction") ? submitter.formAction : form.action;
  const multipart = (submitter?.getAttribute("formenctype") ?? form.enctype) === "multipart/form-data";
  if (form.dataset.sending !== undefined) {
    return; // a double click
  }
  form.dataset.sending = "";
  submitter?.setAttribute("aria-disabled", "true");
  let got;
  try {
    got = await load(address, names, { method: "POST", body: multipart ? data : new URLSearchParams(data) });
  } catch (fault) {
    got = fault;
  } finally {
    delete form.dataset.sending;
    submitter?.removeAttribute("aria-disabled");
  }
  const part = partNamed(names[0]);
  if (got.name === "AbortError") {
    return;
  }
  if (got.target) {
    await follow(got, part, names);
  } else if (got instanceof Error || got.html === null || !part) {
    // As without scripts. It carries its key, so what may have happened already does not happen twice.
    form.dataset.whole = "";
    form.requestSubmit(submitter);
  } else {
    show(part, got.html, false);
    const wrong = part.querySelector("[aria-invalid=true]");
    wrong?.focus();
    announce(told(part));
  }
}

async function follow(got, part, names) {
  const target = new URL(got.target, location.href);
  if (target.pathname !== location.pathname || !part) {
    location.assign(target);
    return;
  }
  const address = target.pathname + target.search;
  const now = await load(address, names);
  if (now.html === null) {
    location.assign(target);
    return;
  }
  if (address !== here()) {
    history.pushState({ kamengParts: names }, "", address);
  }
  show(part, now.html, false);
  await loadOthers(address, names.slice(1));
  if (got.flash) {
    showFlash(part, got.flash);
  } else {
    announce(told(part));
  }
}

/** The parts that a link or form asks for, if they are here. */
function partsOf(element) {
  const names = (element?.dataset.part ?? "").split(/\s+/).filter(Boolean);
  return names.length && partNamed(names[0]) ? names : null;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-part]");
  const names = partsOf(link);
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (event.defaultPrevented || !plain || !names || link.target || link.hasAttribute("download")) {
    return;
  }
  const address = new URL(link.href);
  if (address.origin === location.origin && address.pathname === location.pathname) {
    event.preventDefault();
    visit(address.pathname + address.search, names);
  }
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  const names = partsOf(form);
  const method = (event.submitter?.getAttribute("formmethod") ?? form.method).toLowerCase();
  if (form.dataset.whole !== undefined) {
    delete form.dataset.whole;
    return;
  }
  if (event.defaultPrevented || !names || method === "dialog" || form.target) {
    return;
  }
  if (method === "post") {
    event.preventDefault();
    send(form, event.submitter, names);
  } else {
    const address = new URL(form.action);
    if (address.origin !== location.origin || address.pathname !== location.pathname) {
      return;
    }
    event.preventDefault();
    const given = [...new FormData(form, event.submitter)].filter(([, value]) => typeof value === "string" && value !== "");
    address.search = String(new URLSearchParams(given));
    visit(address.pathname + address.search, names, { remember: form.dataset.live === undefined ? "push" : "replace" });
  }
});

// A form with data-live is sent while somebody types or chooses.
let typing = 0;
document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (event.target instanceof HTMLSelectElement) {
    noteChoice(event.target);
  }
  if (form?.dataset.live !== undefined && partsOf(form)) {
    clearTimeout(typing);
    typing = setTimeout(() => form.requestSubmit(), 300);
  }
});

addEventListener("popstate", (event) => {
  const names = event.state?.kamengParts;
  if (names && partNamed(names[0])) {
    visit(here(), names, { remember: null });
  } else if (names) {
    location.reload();
  }
});

/** A part that is asked for again: `every` so many seconds, and when the subscription `on` tells something. */
class Part extends HTMLElement {
  #timer = 0;
  #soon = 0;
  #failures = 0;
  #wait = 0;
  #asked = Date.now();
  #unsubscribe = null;
  #listening = false;
  #look = () => this.#arrange();

  connectedCallback() {
    document.addEventListener("visibilitychange", this.#look);
    this.#arrange();
  }

  disconnectedCallback() {
    document.removeEventListener("visibilitychange", this.#look);
    this.#stop();
  }

  /** Ask for it now. */
  refresh() {
    return this.#refresh();
  }

  get #ended() {
    return this.querySelector("[data-final]") !== null;
  }

  #stop() {
    clearTimeout(this.#timer);
    clearTimeout(this.#soon);
    this.#listening = false;
    this.#unsubscribe?.();
    this.#unsubscribe = null;
  }

  #arrange() {
    this.#stop();
    if (this.isConnected && !document.hidden && !this.#ended) {
      if (this.getAttribute("on")) {
        this.#listen();
      }
      this.#schedule();
    }
  }

  #schedule() {
    clearTimeout(this.#timer);
    const every = Number(this.getAttribute("every"));
    if (every > 0 && this.isConnected && !document.hidden) {
      const pause = Math.max(Math.min(SLOWEST, every * 2 ** this.#failures), this.#wait) * 1000;
      const due = this.#asked + pause - Date.now();
      this.#timer = setTimeout(() => this.#refresh(), Math.max(0, due) + Math.random() * 300);
    }
  }

  async #listen() {
    this.#listening = true;
    const { subscribe } = await import("./parts-stream.js");
    if (!this.#listening || this.#unsubscribe) {
      return;
    }
    const schema = this.getAttribute("schema") ?? (/^\/admin(\/|$)/.test(location.pathname) ? "admin" : "shop");
    this.#unsubscribe = subscribe(schema, this.getAttribute("on"), this.getAttribute("with"), () => {
      // Events come in bursts; the last state is what counts.
      clearTimeout(this.#soon);
      this.#soon = setTimeout(() => this.#refresh(), 150);
    });
  }

  /** Whether somebody is filling in something here that must not be taken away. */
  get #inUse() {
    const fields = [...this.querySelectorAll("input, textarea, select")];
    return busy.has(this) || fields.some((field) => field === document.activeElement || touched(field));
  }

  async #refresh() {
    this.#asked = Date.now();
    if (!this.#inUse) {
      try {
        const got = await ask(here(), nameOf(this));
        this.#wait = got.wait;
        if (got.target || (got.status >= 400 && got.status < 500 && got.status !== 429)) {
          this.#stop(); // logged out, gone or forbidden: the next step is the person's
          return;
        }
        this.#failures = got.html === null || got.status !== 200 ? this.#failures + 1 : 0;
        if (this.#failures === 0 && !this.#inUse) {
          show(this, got.html, true);
        }
      } catch {
        this.#failures += 1;
      }
    }
    if (this.#ended) {
      this.#stop();
    } else {
      this.#schedule();
    }
  }
}

customElements.define("k-part", Part);
