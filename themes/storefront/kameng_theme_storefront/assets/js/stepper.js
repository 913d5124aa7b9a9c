// One less and one more beside a quantity.

const button = (sign, label, act) => {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = sign;
  made.setAttribute("aria-label", label);
  made.addEventListener("click", act);
  return made;
};

export const stepper = (holder) => {
  const input = holder.querySelector("input[type=number]");
  const row = document.createElement("div");
  row.className = "stepper";
  input.replaceWith(row);
  const step = (by) => {
    const least = Number(input.min) || 1;
    const most = Number(input.max) || Infinity;
    input.value = String(Math.min(most, Math.max(least, (Number.parseInt(input.value, 10) || least) + by)));
    input.dispatchEvent(new Event("input", { bubbles: true }));
  };
  row.append(button("−", holder.dataset.less, () => step(-1)), input, button("+", holder.dataset.more, () => step(1)));
};
