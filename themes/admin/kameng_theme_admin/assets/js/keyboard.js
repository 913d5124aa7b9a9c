// The keyboard: "/" searches, "j" and "k" go through rows, "x" ticks one, "g" and a letter lead to a page, "?" tells all of it.

const WAIT_MS = 1200;
const menu = document.querySelector(".side-narrow");
const sheet = document.querySelector("#shortcuts");
const entries = [...document.querySelectorAll("a[data-key]")];
let going = 0;

const typing = (element) => element.closest?.("input, select, textarea, [contenteditable]") && !element.matches("[type=checkbox], [type=radio]");

for (const entry of entries) {
  const row = document.createElement("div");
  const term = document.createElement("dt");
  for (const letter of ["g", entry.dataset.key]) {
    const key = document.createElement("kbd");
    key.textContent = letter;
    term.append(key, " ");
  }
  const what = document.createElement("dd");
  what.textContent = entry.textContent.trim();
  row.append(term, what);
  document.querySelector("[data-shortcut-pages]")?.append(row);
}

/** Go to the next or previous row of the page's lists. */
function step(by) {
  const rows = [...document.querySelectorAll("main tbody tr")].filter((row) => row.querySelector("a[href], [data-bulk-tick]"));
  if (!rows.length) return;
  const here = rows.findIndex((row) => "here" in row.dataset);
  const next = rows[Math.min(rows.length - 1, Math.max(0, here < 0 ? (by > 0 ? 0 : rows.length - 1) : here + by))];
  delete rows[here]?.dataset.here;
  next.dataset.here = "";
  next.querySelector("th a[href], a[href], [data-bulk-tick]")?.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

const acts = {
  "/": () => {
    const search = document.querySelector("[data-search]");
    search?.focus();
    search?.select();
    return Boolean(search);
  },
  "?": () => {
    sheet?.showModal();
    return true;
  },
  j: () => step(1),
  k: () => step(-1),
  x: () => document.querySelector("tr[data-here] [data-bulk-tick]")?.click(),
  g: () => {
    going = Date.now();
  },
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "Escape") {
    if (document.querySelector("dialog[open]")) return;
    if (menu?.open) {
      menu.open = false;
      menu.querySelector("summary").focus();
    } else if (event.target.matches?.("[data-search]")) {
      event.target.blur();
    }
    return;
  }
  if (typing(event.target) || document.querySelector("dialog[open]")) return;
  if (Date.now() - going < WAIT_MS) {
    going = 0;
    const entry = entries.find((item) => item.dataset.key === event.key);
    if (entry) {
      event.preventDefault();
      location.assign(entry.href);
      return;
    }
  }
  const act = acts[event.key];
  if (act && act() !== false) event.preventDefault();
});

menu?.addEventListener("focusout", (event) => {
  if (menu.open && event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
});

for (const dialog of document.querySelectorAll("dialog")) {
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
}
