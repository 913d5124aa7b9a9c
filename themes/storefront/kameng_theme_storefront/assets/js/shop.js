// What pages can do more where scripts run. Every page is complete without them.
import { copying } from "./copying.js";
import { masking } from "./masking.js";
import { totals } from "./totals.js";
import { opening } from "./opening.js";
import { stepper } from "./stepper.js";

for (const select of document.querySelectorAll("select[data-submit]")) {
  select.addEventListener("change", () => select.form.requestSubmit());
}
document.querySelectorAll("[data-quantity]").forEach(stepper);
document.querySelectorAll("[data-buy]").forEach(totals);
copying(document);
masking(document);
opening(document);
