// Light, dark or as the browser likes it: at once, and the server remembers it.

const root = document.documentElement;

document.addEventListener("click", async (event) => {
  const link = event.target.closest("[data-scheme-choice]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const chosen = link.dataset.schemeChoice;
  if (chosen === "auto") delete root.dataset.scheme;
  else root.dataset.scheme = chosen;
  document.querySelector('meta[name="color-scheme"]').content = chosen === "auto" ? "light dark" : chosen;
  for (const other of document.querySelectorAll("[data-scheme-choice]")) {
    if (other.dataset.schemeChoice === chosen) other.setAttribute("aria-current", "true");
    else other.removeAttribute("aria-current");
  }
  try {
    await fetch(link.href, { headers: { accept: "text/html" } });
  } catch {
    location.assign(link.href);
  }
});
