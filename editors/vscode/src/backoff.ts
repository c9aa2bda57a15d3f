/** How long to wait before a server that crashed is started again: longer each time, and in the end for ever. */
export class Backoff {
  private times: number[] = [];

  constructor(
    private readonly firstMs = 500,
    private readonly most = 5,
    private readonly forgottenAfterMs = 3 * 60_000,
  ) {}

  /** Milliseconds to wait, or undefined when it has crashed too often of late. `now` is in milliseconds. */
  next(now: number): number | undefined {
    this.times = this.times.filter((time) => now - time < this.forgottenAfterMs);
    if (this.times.length >= this.most) {
      return undefined;
    }
    this.times.push(now);
    return this.firstMs * 2 ** (this.times.length - 1);
  }

  /** The user took matters in hand. */
  reset(): void {
    this.times = [];
  }
}
