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

/** Put the boxes of a part of the page away: the dialog asks instead. */
function takeBoxes(root) {
  for (const label of root.querySelectorAll(".sure[data-sure]")) {
    label.hidden = true;
    label.querySelector("input").required = false;
  }
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

takeBoxes(document);
new MutationObserver((changes) => {
  for (const change of changes) {
    for (const node of change.addedNodes) if (node.nodeType === Node.ELEMENT_NODE) takeBoxes(node);
  }
}).observe(document.body, { childList: true, subtree: true });
