// How long the present view has been looked at, and what each camera has shown meanwhile.

import { useState } from 'react'
import { serverNow } from '../../api/http'
import { claims, dwellFrom, type Shown } from '../../lib/patrol'
import { useNow, useStable } from '../../ui/hooks'

interface Look {
  view: string
  opened: number
  shown: Map<string, Shown>
}

const fresh = (view: string): Look => ({ view, opened: serverNow(), shown: new Map() })

export function useDwell(view: string, dwell_s: number) {
  const [look, setLook] = useState(() => fresh(view))
  const now = useNow(200)
  if (look.view !== view) setLook(fresh(view))
  const onFrame = useStable((camera: string, frame: number) =>
    setLook(old => {
      if (old.view !== view) return old
      const shown = new Map(old.shown)
      shown.set(camera, { first: shown.get(camera)?.first ?? serverNow(), frame })
      return { ...old, shown }
    }),
  )
  const current = look.view === view
  const left = current
    ? Math.max(0, dwellFrom(look.opened, look.shown) + dwell_s * 1000 - now)
    : dwell_s * 1000
  return {
    left,
    onFrame,
    claims: (cameras: string[]) => claims(cameras, look.shown, look.opened, serverNow()),
  }
}
