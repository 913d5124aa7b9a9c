// Moments that are near, counted down by the second. Where one is over, the part around it is asked for again.

const inDays = new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit: "day", unitDisplay: "narrow" });
const two = (number) => String(number).padStart(2, "0");

const left = (seconds) => {
  const hours = Math.floor(seconds / 3600);
  const days = Math.floor(hours / 24);
  const clock = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return days ? `${inDays.format(days)} ${two(hours % 24)}:${clock}` : hours ? `${hours}:${clock}` : clock;
};

const tick = () => {
  for (const time of document.querySelectorAll("time[data-countdown]")) {
    const seconds = Math.round((new Date(time.dateTime) - Date.now()) / 1000);
    if (time.dataset.over !== undefined) continue;
    time.textContent = left(Math.max(0, seconds));
    if (seconds <= 0) {
      time.dataset.over = "";
      setTimeout(() => time.closest("k-part")?.refresh(), 1500);
    }
  }
};

export const countdown = () => {
  if (!document.querySelector("time[data-countdown]") && !document.querySelector("k-part")) return;
  tick();
  setInterval(tick, 1000);
};
