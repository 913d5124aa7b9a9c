// Templates of answers: choosing one puts it into the answer, where it can be changed before it is sent.
for (const chooser of document.querySelectorAll("[data-answer-template]")) {
  const answer = chooser.form.querySelector("[data-answer]");
  chooser.closest("[data-with-script]").hidden = false;
  chooser.addEventListener("change", () => {
    if (chooser.value) {
      answer.value = chooser.value;
      answer.focus();
    }
  });
}
