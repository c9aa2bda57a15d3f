let next = 1;
const due = new Map();
const timers = {
  setTimeout: (run) => { due.set(next, run); return next++; },
  clearTimeout: (id) => due.delete(id),
};
const fire = () => { for (const [id, run] of [...due]) { due.delete(id); run(); } };
const calls = [];
const save = debounce((...args) => calls.push(args), 50, timers);
save(1); save(2, 3);
fire();
console.assert(JSON.stringify(calls) === "[[2,3]]");
save(4);
save.flush();
console.assert(JSON.stringify(calls) === "[[2,3],[4]]");
console.assert(due.size === 0);
save(5); save.cancel(); fire();
console.assert(calls.length === 2);
