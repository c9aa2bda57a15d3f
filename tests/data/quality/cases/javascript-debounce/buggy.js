/**
 * Delays calls of `action` until none has come for `wait` milliseconds, then makes the latest one.
 * `flush` makes a call that is due at once, `cancel` drops it.
 */
function debounce(action, wait, timers = globalThis) {
  let timer = null;
  let latest = null;

  function run() {
    const args = latest;
    timer = null;
    latest = null;
    action(...args);
  }

  function debounced(...args) {
    latest = args;
    if (timer !== null) {
      timers.clearTimeout(timer);
    }
    timer = timers.setTimeout(run, wait);
  }

  debounced.flush = () => {
    if (timer !== null) {
      run();
    }
  };

  debounced.cancel = () => {
    if (timer !== null) {
      timers.clearTimeout(timer);
    }
    timer = null;
    latest = null;
  };

  return debounced;
}

module.exports = { debounce };
