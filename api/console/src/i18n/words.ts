import type { en } from './en'

/** The same keys with any words. */
export type Shape<T> = {
  [K in keyof T]: T[K] extends string ? string : T[K] extends readonly string[] ? string[] : Shape<T[K]>
}

/** What every language must have: the compiler holds them complete. */
export type Words = Shape<typeof en>
