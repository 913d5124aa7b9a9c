// A link from a mail has number and secret in its fragment, which no server sees: put them into the form and send it.
export const opening = (root) => {
  const form = root.querySelector("form[data-opening]");
  const found = form && /^#([0-9A-Za-z-]{1,40})\.([0-9A-Za-z_-]{1,200})$/.exec(location.hash);
  if (!found) return;
  // Neither stays in the history of the browser.
  history.replaceState(null, "", location.pathname);
  form.elements["input.number"].value = found[1];
  form.elements["input.secret"].value = found[2];
  form.requestSubmit();
};
