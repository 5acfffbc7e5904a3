/** Long work in slices, between which the browser can paint and react. */

/** Milliseconds of a slice. */
const SLICE = 10;

/** Tells when a piece of work has had its time. */
export class Slices {
  #until = performance.now() + SLICE;

  /**
   * Go on at once, or, where the slice is over, once the browser has had its turn.
   * @param {AbortSignal} [signal] ends the work by an `AbortError`
   */
  async pause(signal) {
    if (performance.now() < this.#until) return;
    await new Promise((resolve) => setTimeout(resolve));
    signal?.throwIfAborted();
    this.#until = performance.now() + SLICE;
  }
}
