// The total of what is chosen, in whole ten-thousandths, rounded once: half to even, as the shop does.

const SCALE = 10_000n;

const units = (amount) => {
  const [whole, part = ""] = amount.split(".");
  return BigInt(whole) * SCALE + BigInt(part.padEnd(4, "0").slice(0, 4));
};

const rounded = (value, decimals) => {
  const step = 10n ** BigInt(4 - decimals);
  const down = value / step;
  const twice = (value % step) * 2n;
  return down + (twice > step || (twice === step && down % 2n === 1n) ? 1n : 0n);
};

export const totals = (form) => {
  const holder = form.querySelector("[data-total]");
  const quantity = form.querySelector("[data-quantity] input");
  if (!holder || !quantity) return;
  const currency = holder.dataset.currency;
  const format = new Intl.NumberFormat(document.documentElement.lang, { style: "currency", currency });
  const decimals = format.resolvedOptions().maximumFractionDigits;
  const show = () => {
    const chosen = form.querySelector("input[type=radio]:checked");
    const count = Number.parseInt(quantity.value, 10);
    holder.hidden = !(chosen && count > 0);
    if (holder.hidden) return;
    quantity.min = chosen.dataset.least;
    quantity.max = chosen.dataset.most;
    const tier = JSON.parse(chosen.dataset.prices).findLast((one) => one.fromQuantity <= count);
    holder.hidden = !tier;
    if (!tier) return;
    const total = rounded(units(tier.unit.amount) * BigInt(count), decimals);
    holder.querySelector("output").textContent = format.format(Number(total) / 10 ** decimals);
  };
  form.addEventListener("input", show);
  form.addEventListener("change", show);
  show();
};
