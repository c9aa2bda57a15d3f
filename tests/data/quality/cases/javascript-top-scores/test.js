const board = new Scoreboard();
[["ann", 5], ["bob", 9], ["cy", 9], ["ann", 7], ["dan", 7], ["eve", 1], ["bob", 2]].forEach(([p, s]) => board.record(p, s));
const shown = board.top().map(({ player, rank }) => `${player}${rank}`).sort().join();
console.assert(shown === "ann3,bob1,cy1,dan3", shown);
console.assert(new Scoreboard().top().length === 0);
board.record("zoe", -3);
console.assert(board.best.get("zoe") === -3);
