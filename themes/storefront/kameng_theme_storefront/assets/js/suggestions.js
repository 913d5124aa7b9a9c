// What the search would find, while somebody types. The form finds the same without it.

const PAUSE = 180;

const row = (product, address) => {
  const item = document.createElement("li");
  item.role = "option";
  const link = document.createElement("a");
  link.href = address.replace("SLUG", encodeURIComponent(product.slug));
  link.tabIndex = -1;
  const title = document.createElement("span");
  title.textContent = product.title;
  link.append(title);
  if (product.category) {
    const shelf = document.createElement("small");
    shelf.textContent = product.category.title;
    link.append(shelf);
  }
  item.append(link);
  return item;
};

export const suggestions = (form) => {
  const input = form.querySelector("input[type=search]");
  const list = document.createElement("ul");
  list.id = "suggestions";
  list.className = "suggestions";
  list.role = "listbox";
  list.hidden = true;
  list.setAttribute("aria-label", form.dataset.label);
  form.append(list);
  Object.entries({ role: "combobox", "aria-expanded": "false", "aria-controls": list.id, "aria-autocomplete": "list" })
    .forEach(([name, value]) => input.setAttribute(name, value));

  let timer = 0;
  let asking = null;
  let at = -1;

  const open = (yes) => {
    list.hidden = !yes;
    input.setAttribute("aria-expanded", String(yes));
    if (!yes) input.removeAttribute("aria-activedescendant");
    at = -1;
  };

  const mark = (next) => {
    const items = [...list.children];
    at = (next + items.length + 1) % (items.length + 1);
    items.forEach((item, place) => {
      item.id = `suggestion-${place}`;
      item.ariaSelected = String(place === at);
    });
    if (at < items.length) input.setAttribute("aria-activedescendant", items[at].id);
    else input.removeAttribute("aria-activedescendant");
  };

  const ask = async () => {
    const search = input.value.trim();
    asking?.abort();
    if (!search) { open(false); return; }
    asking = new AbortController();
    try {
      const answer = await fetch("/graphql/shop", {
        method: "POST",
        headers: { "content-type": "application/json", "accept-language": document.documentElement.lang },
        body: JSON.stringify({ query: form.dataset.document, variables: { search } }),
        signal: asking.signal,
      });
      const found = (await answer.json()).data?.products?.nodes ?? [];
      list.replaceChildren(...found.map((product) => row(product, form.dataset.address)));
      open(found.length > 0);
    } catch { /* somebody went on typing, or the shop cannot be reached: the form works all the same */ }
  };

  input.addEventListener("input", (event) => {
    clearTimeout(timer);
    if (!event.isComposing) timer = setTimeout(ask, PAUSE);
  });
  input.addEventListener("compositionend", () => { clearTimeout(timer); timer = setTimeout(ask, PAUSE); });
  input.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      mark(event.key === "ArrowDown" ? (at < 0 ? 0 : at + 1) : at < 0 ? list.children.length - 1 : at - 1);
    } else if (event.key === "Escape") {
      event.preventDefault();
      open(false);
    } else if (event.key === "Enter" && list.children[at]) {
      event.preventDefault();
      list.children[at].querySelector("a").click();
    }
  });
  form.addEventListener("focusout", () => setTimeout(() => form.contains(document.activeElement) || open(false), 150));
};
