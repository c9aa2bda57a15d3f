(async () => {
  let active = 0;
  let most = 0;
  const asked = [];
  const load = async (id) => {
    asked.push(id);
    active += 1;
    most = Math.max(most, active);
    await new Promise((resolve) => setTimeout(resolve, (5 - id) * 2));
    active -= 1;
    return id * 10;
  };
  const loaded = await loadAll([1, 2, 3, 4, 5], load, 2);
  console.assert(JSON.stringify(loaded) === "[10,20,30,40,50]");
  console.assert(asked.length === 5 && most === 2);
  console.assert((await loadAll([], load)).length === 0);
})();
