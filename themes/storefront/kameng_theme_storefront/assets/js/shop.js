// What pages can do more where scripts run. Every page is complete without them.
import { codes } from "./codes.js";
import { countdown } from "./countdown.js";
import { totals } from "./totals.js";
import { opening } from "./opening.js";
import { pictures } from "./pictures.js";
import { stepper } from "./stepper.js";
import { suggestions } from "./suggestions.js";

document.querySelectorAll("form[data-suggest]").forEach(suggestions);
document.querySelectorAll("[data-quantity]").forEach(stepper);
document.querySelectorAll("[data-buy]").forEach(totals);
document.querySelectorAll("[data-pictures]").forEach(pictures);
document.addEventListener("change", (event) => {
  if (event.target.dataset?.submit !== undefined) event.target.form.requestSubmit();
});
// Rows of links that scroll begin where one is.
document.querySelectorAll(".rooms ul, .shelves ul").forEach((row) => {
  const here = row.querySelector("[aria-current], .within");
  if (here) row.scrollLeft += here.getBoundingClientRect().left - row.getBoundingClientRect().left - (row.clientWidth - here.offsetWidth) / 2;
});
codes();
countdown();
opening(document);
// An order that was placed a moment ago goes on to its payment by itself.
document.querySelector("form[data-go]")?.requestSubmit();
