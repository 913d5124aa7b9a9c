// Ctrl-K: pages by their names, and orders, products and members by what the schema finds.

const WAIT_MS = 180;
const NUMBER = /^[0-9A-Z]{13}$/;
const dialog = document.querySelector("#palette");

if (dialog) {
  const input = dialog.querySelector("input");
  const list = dialog.querySelector("#palette-list");
  const note = dialog.querySelector(".palette-note");
  const words = JSON.parse(dialog.dataset.words);
  const pages = [...document.querySelectorAll("a[data-entry], .side-wide .side-more a")].map((link) => ({
    text: link.textContent.trim(),
    kind: link.dataset.entry ?? "",
    href: link.href,
  }));
  let timer = 0;
  let asking = null;
  let chosen = 0;
  let shown = [];

  const command = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘ K" : "Ctrl K";
  for (const key of document.querySelectorAll("[data-command-key]")) key.textContent = command;
  for (const button of document.querySelectorAll("[data-palette-open]")) {
    button.hidden = false;
    button.addEventListener("click", open);
  }

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      if (dialog.open) dialog.close();
      else open();
    }
  });

  input.addEventListener("input", () => {
    clearTimeout(timer);
    asking?.abort();
    const text = input.value.trim();
    show(matching(text));
    note.textContent = "";
    if (text.length >= 2) timer = setTimeout(() => ask(text), WAIT_MS);
  });

  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && shown.length) {
      event.preventDefault();
      choose((chosen + step + shown.length) % shown.length);
    } else if (event.key === "Enter" && shown[chosen]) {
      event.preventDefault();
      if (event.ctrlKey || event.metaKey) window.open(shown[chosen].href, "_blank", "noopener");
      else location.assign(shown[chosen].href);
    }
  });

  function open() {
    for (const other of document.querySelectorAll("dialog[open]")) other.close();
    input.value = "";
    note.textContent = "";
    show(matching(""));
    dialog.showModal();
    input.focus();
  }

  /** Pages whose name has all letters of the text in their order; those that begin with it first. */
  function matching(text) {
    const wanted = text.toLowerCase();
    const letters = [...wanted.replace(/\s+/g, "")];
    const fits = (name) => {
      let at = 0;
      for (const letter of letters) {
        at = name.indexOf(letter, at) + 1;
        if (!at) return false;
      }
      return true;
    };
    const rank = (page) => {
      const name = page.text.toLowerCase();
      return name.startsWith(wanted) ? 0 : name.includes(wanted) ? 1 : 2;
    };
    return pages.filter((page) => fits(page.text.toLowerCase())).sort((a, b) => rank(a) - rank(b));
  }

  async function run(query, variables, signal) {
    const answer = await fetch(dialog.dataset.endpoint, {
      method: "POST",
      signal,
      headers: { "content-type": "application/json", accept: "application/graphql-response+json, application/json", "kameng-preflight": "1" },
      body: JSON.stringify({ query, variables }),
    });
    return (await answer.json()).data;
  }

  async function ask(text) {
    const { document: search, order, orders, products, members, ordersUrl, productsUrl, membersUrl } = dialog.dataset;
    asking = new AbortController();
    const signal = asking.signal;
    const number = text.toUpperCase().replace(/[-\s]/g, "");
    try {
      const [lists, byNumber] = await Promise.all([
        products === "true" || members === "true"
          ? run(search, { text, products: products === "true", members: members === "true" }, signal)
          : null,
        orders === "true" && NUMBER.test(number) ? run(order, { number }, signal).catch(() => null) : null,
      ]);
      if (signal.aborted) return;
      const found = [];
      if (byNumber?.order) found.push({ text: byNumber.order.number, kind: words.order, href: `${ordersUrl}/${byNumber.order.number}` });
      for (const item of lists?.products?.nodes ?? []) {
        found.push({ text: item.title, kind: words.product, href: `${productsUrl}/${encodeURIComponent(item.slug)}` });
      }
      for (const item of lists?.members?.nodes ?? []) {
        found.push({ text: item.email, kind: words.member, href: `${membersUrl}/${encodeURIComponent(item.id)}` });
      }
      const all = [...(byNumber?.order ? found : []), ...matching(text), ...(byNumber?.order ? [] : found)];
      show(all);
      note.textContent = all.length ? "" : words.none;
    } catch (fault) {
      if (fault.name !== "AbortError") note.textContent = words.failed;
    }
  }

  function show(items) {
    shown = items;
    list.replaceChildren(
      ...items.map((item, index) => {
        const row = document.createElement("li");
        row.id = `palette-${index}`;
        row.setAttribute("role", "option");
        const link = document.createElement("a");
        link.href = item.href;
        link.tabIndex = -1;
        const text = document.createElement("span");
        text.textContent = item.text;
        const kind = document.createElement("small");
        kind.textContent = item.kind;
        link.append(text, kind);
        row.append(link);
        row.addEventListener("pointermove", () => choose(index, false));
        return row;
      }),
    );
    choose(0);
  }

  function choose(index, scroll = true) {
    chosen = index;
    [...list.children].forEach((row, at) => row.setAttribute("aria-selected", String(at === index)));
    if (shown.length) input.setAttribute("aria-activedescendant", `palette-${index}`);
    else input.removeAttribute("aria-activedescendant");
    if (scroll) list.children[index]?.scrollIntoView({ block: "nearest" });
  }
}
