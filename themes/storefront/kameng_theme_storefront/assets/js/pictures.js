// Small pictures that show themselves large. Without this they lead to the large ones.
export const pictures = (holder) => {
  const large = holder.querySelector("[data-large]");
  holder.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-picture]");
    if (!link || event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    const small = link.querySelector("img");
    large.srcset = small.dataset.srcset;
    large.src = link.href;
    large.alt = small.alt;
    holder.querySelectorAll("a[data-picture]").forEach((one) => one.toggleAttribute("aria-current", one === link));
  });
};
