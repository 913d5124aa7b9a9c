// A colour can be picked as well as written: the picker stands where the small picture of the colour does.

const HEX = /^#[0-9a-f]{6}$/i;

for (const place of document.querySelectorAll("[data-colour]")) {
  const text = place.querySelector("input");
  const swatch = place.querySelector(".swatch");
  const shown = () => [text.value, text.placeholder].map((value) => value.trim()).find((value) => HEX.test(value));
  const picker = document.createElement("input");
  picker.type = "color";
  picker.value = shown() ?? "#808080";
  picker.setAttribute("aria-label", document.querySelector(`label[for="${text.id}"]`)?.textContent ?? "");
  picker.addEventListener("input", () => {
    text.value = picker.value;
  });
  text.addEventListener("input", () => {
    picker.value = shown() ?? picker.value;
  });
  swatch?.remove();
  place.append(picker);
}
