// What changes, live: one server-sent event stream feeds the query cache.

import type { QueryClient } from '@tanstack/react-query'
import { create } from 'zustand'
import { BASE } from './http'
import { keys } from './queries'
import type { Alert, Camera, CameraState } from './types'
import { isClosed, mergeAlert } from '../lib/alerts'

interface Link {
  /** Since when nothing comes in, ms; `null` while it does. */
  lostAt: number | null
  /** Alerts that came up while this window was open and that nobody has opened here. */
  fresh: Set<string>
}

export const useLink = create<Link>(() => ({ lostAt: null, fresh: new Set() }))

export const seenHere = (id: string) =>
  useLink.setState(s => {
    if (!s.fresh.has(id)) return s
    const fresh = new Set(s.fresh)
    fresh.delete(id)
    return { fresh }
  })

export function connectEvents(client: QueryClient, raised: (alert: Alert) => void): () => void {
  const source = new EventSource(`${BASE}/events`)
  source.addEventListener('open', () => {
    if (useLink.getState().lostAt !== null) void client.invalidateQueries()
    useLink.setState({ lostAt: null })
  })
  source.addEventListener('error', () => {
    if (useLink.getState().lostAt === null) useLink.setState({ lostAt: Date.now() })
  })
  source.addEventListener('alert', event =>
    takeAlert(client, JSON.parse(event.data as string) as Alert, raised),
  )
  source.addEventListener('camera', event =>
    takeCamera(client, JSON.parse(event.data as string) as { id: string; state: CameraState }),
  )
  return () => source.close()
}

function takeAlert(client: QueryClient, alert: Alert, raised: (alert: Alert) => void) {
  let isNew = false
  for (const state of ['open', 'all'] as const)
    client.setQueryData<Alert[]>(keys.alerts(state), list => {
      if (!list) return list
      const merged = mergeAlert(list, alert, state === 'open')
      if (state === 'open') isNew = merged.change === 'new'
      return merged.list
    })
  client.setQueryData<Alert>(['alert', alert.id], known =>
    known && known.revision > alert.revision ? known : alert,
  )
  if (!isNew || isClosed(alert.state)) return
  useLink.setState(s => ({ fresh: new Set(s.fresh).add(alert.id) }))
  raised(alert)
}

function takeCamera(client: QueryClient, change: { id: string; state: CameraState }) {
  client.setQueryData<Camera[]>(keys.cameras, list =>
    list?.map(camera => (camera.id === change.id ? { ...camera, state: change.state } : camera)),
  )
}
