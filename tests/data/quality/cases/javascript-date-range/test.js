console.assert(lastDayOfMonth(2024, 2) === "2024-02-29");
console.assert(lastDayOfMonth(2023, 12) === "2023-12-31");
console.assert(daysOfMonth(2024, 2).length === 29);
console.assert(daysBetween("2024-02-28", "2024-03-01").join() === "2024-02-28,2024-02-29,2024-03-01");
console.assert(daysBetween("2024-03-02", "2024-03-01").length === 0);
