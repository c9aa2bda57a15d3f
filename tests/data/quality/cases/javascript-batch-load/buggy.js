/**
 * Loads all `ids` with `load`, at most `limit` (1 or more) at a time. Resolves to the results in the order of `ids`; the first
 * failure rejects.
 */
async function loadAll(ids, load, limit = 4) {
  const results = new Array(ids.length);
  let next = 0;

  async function worker() {
    while (next < ids.length) {
      results[next] = await load(ids[next]);
      next += 1;
    }
  }

  const workers = Array.from({ length: Math.min(limit, ids.length) }, worker);
  await Promise.all(workers);
  return results;
}

module.exports = { loadAll };
