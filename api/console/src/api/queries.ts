// What the pages ask for, as queries and mutations of one cache.

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { get, getAll, send } from './http'
import { useSession } from '../stores/session'
import type * as T from './types'

export const keys = {
  cameras: ['cameras'] as const,
  regions: ['regions'] as const,
  alerts: (state: 'open' | 'all') => ['alerts', state] as const,
  grants: ['grants'] as const,
  plans: ['plans'] as const,
  hotlist: ['hotlist'] as const,
}

export const useRight = (right: T.Right) => useSession(s => s.me?.rights.includes(right) ?? false)

export const useCameras = () => {
  const enabled = useRight('see_cameras')
  return useQuery({
    queryKey: keys.cameras,
    queryFn: () => getAll<T.Camera>('/cameras', { limit: 500 }, 100_000),
    enabled,
    refetchInterval: 15_000,
  })
}

export const useRegions = () => {
  const enabled = useRight('see_cameras')
  return useQuery({
    queryKey: keys.regions,
    queryFn: () => getAll<T.Region>('/regions'),
    enabled,
    staleTime: 300_000,
  })
}

export const useAlerts = (state: 'open' | 'all') => {
  const enabled = useRight('work_alerts')
  return useQuery({
    queryKey: keys.alerts(state),
    queryFn: () => getAll<T.Alert>('/alerts', { state }, state === 'open' ? 2000 : 300),
    enabled,
    refetchInterval: 60_000,
  })
}

export const useCases = (enabled: boolean) =>
  useQuery({ queryKey: ['cases'], queryFn: () => getAll<T.Case>('/cases'), enabled })

export const usePlans = () =>
  useQuery({ queryKey: keys.plans, queryFn: () => getAll<T.Plan>('/patrol-plans') })

export const useHotlist = () =>
  useQuery({ queryKey: keys.hotlist, queryFn: () => getAll<T.HotlistEntry>('/hotlist') })

export const useStatus = () =>
  useQuery({ queryKey: ['status'], queryFn: () => get<T.Status>('/status'), refetchInterval: 5000 })

/** A mutation that, once done, makes the named lists be asked for again. */
export function useAct<V, R>(act: (value: V) => Promise<R>, stale: readonly (readonly unknown[])[] = []) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: act,
    onSuccess: () => Promise.all(stale.map(queryKey => client.invalidateQueries({ queryKey }))),
  })
}

export const moveAlert = (v: { alert: T.Alert; step: T.AlertStep; note: string }) =>
  send<T.Alert>('POST', `/alerts/${v.alert.id}/${v.step}`, { note: v.note, revision: v.alert.revision })

export const openGrant = (body: T.GrantRequest) => send<T.Grant>('POST', '/grants', body)
export const endGrant = (id: string) => send<T.Grant | undefined>('DELETE', `/grants/${id}`)
