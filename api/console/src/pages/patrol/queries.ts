import { useQuery } from '@tanstack/react-query'
import { get, send } from '../../api/http'
import { useAct } from '../../api/queries'
import type { Finding, Grant, Page, Patrol, PatrolReport, Selection, ViewTiles } from '../../api/types'

export const patrolKey = (id: string) => ['patrol', id] as const
const RUNNING = ['patrols', 'running'] as const

export const useReport = (id: string) =>
  useQuery({ queryKey: patrolKey(id), queryFn: () => get<PatrolReport>(`/patrols/${id}/report`) })

/** Patrols that were begun and not ended, to go on with. */
export const useRunning = () =>
  useQuery({
    queryKey: RUNNING,
    queryFn: async () => (await get<Page<Patrol>>('/patrols', { running: 'true' })).items,
  })

export type NewPatrol = { plan: string } | { selection: Selection; layout: number; dwell_s: number }

export const useStart = () =>
  useAct((body: NewPatrol) => send<{ patrol: Patrol; grant: Grant }>('POST', '/patrols', body), [RUNNING])

export interface Claim {
  camera: string
  shown_at: string
  frame_at: string | null
}

export const useSeen = (id: string) =>
  useAct((cameras: Claim[]) => send('POST', `/patrols/${id}/seen`, { cameras }), [patrolKey(id)])

export const useFinding = (id: string) =>
  useAct(
    (body: { camera: string; text: string }) => send<Finding>('POST', `/patrols/${id}/findings`, body),
    [patrolKey(id)],
  )

export const useEnd = (id: string) =>
  useAct(() => send<Patrol>('POST', `/patrols/${id}/end`), [patrolKey(id), RUNNING])

/** How many cameras a selection has, before a patrol is started on it. */
export const useSelected = (selection: Selection, layout: number) =>
  useQuery({
    queryKey: ['select', selection, layout],
    queryFn: () => send<ViewTiles>('POST', '/views/select', { selection, layout }),
    staleTime: 10_000,
  })
