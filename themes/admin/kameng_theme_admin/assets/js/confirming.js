// Questions before what cannot be taken back. Without scripts a box says the same and must be ticked.

const dialog = document.querySelector("#confirm");

/** Ask a question in the dialog; resolves to whether the answer was yes. */
export function ask(question) {
  if (!dialog) return Promise.resolve(window.confirm(question));
  dialog.querySelector("#confirm-text").textContent = question;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

const asked = new WeakSet();

/** Put a box away: the dialog asks instead. */
function takeBox(box) {
  const tick = box.querySelector("input");
  if (!box.hidden) box.hidden = true;
  if (tick.required) tick.required = false;
}

document.addEventListener(
  "submit",
  async (event) => {
    const form = event.target;
    const button = event.submitter;
    const question = button?.dataset.confirm ?? form.querySelector(".sure[data-sure]")?.dataset.sure ?? form.dataset.confirm;
    if (!question || asked.delete(form)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (await ask(question)) {
      asked.add(form);
      form.requestSubmit(button);
    }
  },
  true,
);

for (const box of document.querySelectorAll(".sure[data-sure]")) takeBox(box);
// Parts that are fetched anew bring boxes, and show those again that they find here.
new MutationObserver((changes) => {
  for (const { target, addedNodes } of changes) {
    const own = target.closest?.(".sure[data-sure]");
    if (own) takeBox(own);
    for (const node of addedNodes) {
      if (node.nodeType !== Node.ELEMENT_NODE) continue;
      if (node.matches(".sure[data-sure]")) takeBox(node);
      for (const box of node.querySelectorAll(".sure[data-sure]")) takeBox(box);
    }
  }
}).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["hidden", "required"] });
