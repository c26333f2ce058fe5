// A time as people read it, with the whole of it (date and offset) at the pointer.

import { serverNow } from '../api/http'
import { fullText, nearText } from '../lib/time'
import { ZONE } from '../lib/zone'

export function Stamp({ at, full = false }: { at: string | number | null | undefined; full?: boolean }) {
  if (at === null || at === undefined) return <span className="muted">–</span>
  const ms = typeof at === 'number' ? at : Date.parse(at)
  const whole = fullText(ms, ZONE)
  return (
    <time className="num" dateTime={new Date(ms).toISOString()} title={whole}>
      {full ? whole : nearText(ms, serverNow(), ZONE)}
    </time>
  )
}
