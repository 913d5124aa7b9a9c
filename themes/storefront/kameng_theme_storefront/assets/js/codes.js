// What buyers do with codes: copy one, copy all, take them along as a file. Pages change under this, so it listens at the root.

const hasClipboard = Boolean(navigator.clipboard); // browsers give one only to pages that came over TLS or from this machine

const told = new WeakMap();
const tell = (button, text) => {
  const label = button.querySelector("span");
  if (!told.has(button)) {
    told.set(button, label.textContent);
    button.setAttribute("aria-live", "polite");
    setTimeout(() => { label.textContent = told.get(button); told.delete(button); }, 1600);
  }
  label.textContent = text;
};

const rows = () => [...document.querySelectorAll("[data-row]")].map((one) => JSON.parse(one.dataset.row));
const line = ([, number, secret]) => [number, secret].filter(Boolean).join(" ");

// A spreadsheet takes what begins like this for a formula.
const cell = (text) => `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;

const files = {
  txt: () => rows().map(line).join("\r\n") + "\r\n",
  // Spreadsheets take a file for UTF-8 by its first character.
  csv: (button) => "\ufeff" + [JSON.parse(button.dataset.head), ...rows()].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n",
};

const save = (button) => {
  const kind = button.dataset.download;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([files[kind](button)], { type: `text/${kind === "csv" ? "csv" : "plain"};charset=utf-8` }));
  link.download = `${button.dataset.name}.${kind}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
};

const show = () => {
  const many = document.querySelectorAll("[data-row]").length;
  for (const button of document.querySelectorAll("[data-copy]")) button.hidden = !hasClipboard;
  for (const button of document.querySelectorAll("[data-copy-all]")) button.hidden = !hasClipboard || many < 2;
  for (const button of document.querySelectorAll("[data-download]")) button.hidden = many < 1;
};

export const codes = () => {
  show();
  document.addEventListener("kameng:part", show);
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("button");
    if (button?.dataset.copy !== undefined) {
      await navigator.clipboard.writeText(button.dataset.copy);
      tell(button, button.dataset.done);
    } else if (button?.dataset.copyAll !== undefined) {
      await navigator.clipboard.writeText(rows().map(line).join("\n"));
      tell(button, button.dataset.done);
    } else if (button?.dataset.download) {
      save(button);
    }
  });
};
