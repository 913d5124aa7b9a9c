// Lists: filters send themselves, boxes tick all, the bar of actions shows itself when something is ticked.

document.addEventListener("change", (event) => {
  const target = event.target;
  if (target.matches("select[data-submit]")) target.form.requestSubmit();
  const form = target.closest("form[data-bulk]");
  if (!form) return;
  if (target.closest("[data-bulk-all]")) {
    for (const box of form.querySelectorAll("[data-bulk-tick]")) box.checked = target.checked;
  }
  if (target.type === "checkbox") show(form);
});

let last = null;
document.addEventListener("click", (event) => {
  const box = event.target;
  if (!box.matches?.("[data-bulk-tick]")) return;
  const boxes = [...box.form.querySelectorAll("[data-bulk-tick]")];
  const [here, there] = [boxes.indexOf(box), boxes.indexOf(last)];
  if (event.shiftKey && there >= 0) {
    for (const other of boxes.slice(Math.min(here, there), Math.max(here, there))) other.checked = box.checked;
    show(box.form);
  }
  last = box;
});

function show(form) {
  const boxes = [...form.querySelectorAll("[data-bulk-tick]")];
  const ticked = boxes.filter((box) => box.checked).length;
  const bar = form.querySelector("[data-bulk-bar]");
  const all = form.querySelector("[data-bulk-all] input");
  if (bar) {
    bar.hidden = ticked === 0;
    const count = bar.querySelector("[data-bulk-count]");
    count.textContent = count.dataset.bulkCount.replace("{count}", ticked);
  }
  if (all) {
    all.checked = ticked > 0 && ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
  }
}

function begin(root) {
  for (const form of root.querySelectorAll("form[data-bulk]")) {
    form.querySelector("[data-bulk-all]")?.removeAttribute("hidden");
    show(form);
  }
}

begin(document);
addEventListener("pageshow", () => begin(document));
new MutationObserver((changes) => {
  for (const change of changes) {
    for (const node of change.addedNodes) if (node.nodeType === Node.ELEMENT_NODE) begin(node);
  }
}).observe(document.body, { childList: true, subtree: true });
