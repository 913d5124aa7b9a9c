// Remembers on this device whether codes are hidden; the hiding itself is the stylesheet's.

const PLACE = "kameng-hide-codes";

export const masking = (root) => {
  for (const box of root.querySelectorAll("[data-mask]")) {
    try {
      box.checked = localStorage.getItem(PLACE) === "yes";
      box.addEventListener("change", () => localStorage.setItem(PLACE, box.checked ? "yes" : "no"));
    } catch {
      // A browser that keeps nothing shows codes as the page came.
    }
  }
};
