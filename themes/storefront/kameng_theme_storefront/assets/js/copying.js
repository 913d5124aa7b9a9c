// Buttons that copy a code, or all codes of a page, one a line.

const write = async (button, text) => {
  await navigator.clipboard.writeText(text);
  const label = button.querySelector("span");
  const before = label.textContent;
  label.textContent = button.dataset.done;
  button.setAttribute("aria-live", "polite");
  setTimeout(() => { label.textContent = before; }, 1600);
};

export const copying = (root) => {
  // Browsers give a clipboard only to pages that came over TLS or from this machine.
  if (!navigator.clipboard) return;
  const singles = [...root.querySelectorAll("[data-copy]")];
  for (const button of singles) {
    button.hidden = false;
    button.addEventListener("click", () => write(button, button.dataset.copy));
  }
  for (const button of root.querySelectorAll("[data-copy-all]")) {
    button.hidden = singles.length < 2;
    button.addEventListener("click", () => write(button, singles.map((one) => one.dataset.line).join("\n")));
  }
};
