import { useEffect, useLayoutEffect, useRef, useState, useSyncExternalStore } from 'react'
import { serverNow } from '../api/http'
import { belongsToControl, keyName } from '../lib/keys'
import type { Store } from '../players/store'

/** The gateway's clock, again every `everyMs`. */
export function useNow(everyMs = 1000): number {
  const [now, setNow] = useState(serverNow)
  useEffect(() => {
    const timer = setInterval(() => setNow(serverNow()), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  return now
}

export const useStore = <T extends object>(store: Store<T>): T =>
  useSyncExternalStore(store.subscribe, store.get)

/** Calls a handler by key name while nothing modal is open. A handler that returns `false` lets the press pass. */
export function useKeys(handlers: Record<string, (event: KeyboardEvent) => unknown>) {
  const current = useRef(handlers)
  useLayoutEffect(() => {
    current.current = handlers
  })
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      const name = keyName(event)
      if (!name || event.defaultPrevented) return
      const handler = current.current[name]
      if (!handler || belongsToControl(event.target as HTMLElement, name)) return
      if (document.querySelector('[role="dialog"][aria-modal="true"]')) return
      if (handler(event) !== false) event.preventDefault()
    }
    window.addEventListener('keydown', listen)
    return () => window.removeEventListener('keydown', listen)
  }, [])
}

/** A function that always sees the newest values and never changes itself. */
export function useStable<A extends unknown[], R>(act: (...args: A) => R): (...args: A) => R {
  const latest = useRef(act)
  useLayoutEffect(() => {
    latest.current = act
  })
  const [stable] = useState(
    () =>
      (...args: A) =>
        latest.current(...args),
  )
  return stable
}

/** Size of an element, as it changes. */
export function useSize<E extends HTMLElement>() {
  const ref = useRef<E>(null)
  const [size, setSize] = useState({ width: 0, height: 0 })
  useLayoutEffect(() => {
    const element = ref.current
    if (!element) return
    const observer = new ResizeObserver(() =>
      setSize({ width: element.clientWidth, height: element.clientHeight }),
    )
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  return [ref, size] as const
}
