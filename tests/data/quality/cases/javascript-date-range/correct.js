const DAY = 24 * 60 * 60 * 1000;

/** The days from `first` to `last`, both included, as in "2024-02-28". Both are given in that form. */
function daysBetween(first, last) {
  const days = [];
  const end = Date.parse(`${last}T00:00:00Z`);
  for (let time = Date.parse(`${first}T00:00:00Z`); time <= end; time += DAY) {
    days.push(new Date(time).toISOString().slice(0, 10));
  }
  return days;
}

/** The last day of a month, as in "2024-02-29". `month` counts from 1. */
function lastDayOfMonth(year, month) {
  const date = new Date(Date.UTC(year, month, 0));
  return date.toISOString().slice(0, 10);
}

/** All days of a month. `month` counts from 1. */
function daysOfMonth(year, month) {
  const start = `${year}-${String(month).padStart(2, "0")}-01`;
  return daysBetween(start, lastDayOfMonth(year, month));
}

module.exports = { daysBetween, lastDayOfMonth, daysOfMonth };
