// A value that players change and views watch, outside the state of the UI framework.

export class Store<T extends object> {
  private listeners = new Set<() => void>()

  constructor(private value: T) {}

  get = () => this.value

  set(change: Partial<T>) {
    const keys = Object.keys(change) as (keyof T)[]
    if (keys.every(key => Object.is(this.value[key], change[key]))) return
    this.value = { ...this.value, ...change }
    for (const listener of this.listeners) listener()
  }

  subscribe = (listener: () => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }
}
