/** Keeps the best score of each player, and shows those of rank `size` or better. */
class Scoreboard {
  constructor(size = 3) {
    this.size = size;
    this.best = new Map();
  }

  record(player, score) {
    if (!Number.isFinite(score)) {
      throw new TypeError(`not a score: ${score}`);
    }
    const known = this.best.get(player);
    if (known === undefined || score > known) {
      this.best.set(player, score);
    }
  }

  /** The best players with their ranks. Equal scores share a rank, and the next one is skipped: 1, 1, 3. */
  top() {
    const ordered = [...this.best].sort(([, a], [, b]) => b - a);
    let rank = 0;
    let previous = null;
    const ranked = ordered.map(([player, score], index) => {
      if (score !== previous) {
        rank += 1;
        previous = score;
      }
      return { player, score, rank };
    });
    return ranked.filter((entry) => entry.rank <= this.size);
  }
}

module.exports = { Scoreboard };
