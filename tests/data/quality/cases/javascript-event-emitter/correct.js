class Emitter {
  constructor() {
    this.listeners = new Map();
  }

  /** Calls `listener` on each `event`, in order of registration. Returns a function that ends it. */
  on(event, listener) {
    const registered = this.listeners.get(event) ?? [];
    registered.push(listener);
    this.listeners.set(event, registered);
    return () => this.off(event, listener);
  }

  /** Calls `listener` on the next `event` only. */
  once(event, listener) {
    const end = this.on(event, (...args) => {
      end();
      listener(...args);
    });
    return end;
  }

  off(event, listener) {
    const registered = this.listeners.get(event) ?? [];
    const index = registered.indexOf(listener);
    if (index >= 0) {
      registered.splice(index, 1);
    }
  }

  /** Listeners may end themselves or others while they are called: each that was there at the start is called. */
  emit(event, ...args) {
    for (const listener of [...(this.listeners.get(event) ?? [])]) {
      listener(...args);
    }
  }
}

module.exports = { Emitter };
