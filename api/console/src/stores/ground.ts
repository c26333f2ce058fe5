// Grounds: under which grants this window looks, and which of them a picture may use.

import { create } from 'zustand'
import { getAll, serverNow } from '../api/http'
import type { Camera, Grant, GroundKind, Region, Role } from '../api/types'

/** What the ground dialog begins with. */
export interface GroundWish {
  kind?: GroundKind
  ref?: string
  cameras?: string[]
  from?: number
  to?: number
}

interface Ground {
  grants: Grant[]
  /** The grant chosen by hand or last opened. */
  chosen: string | null
  /** The grant that the page now uses by itself (an alert's on the desk, a patrol's on patrol). */
  page: string | null
  wish: GroundWish | null
  load: () => Promise<void>
  add: (grant: Grant, choose?: boolean) => void
  choose: (id: string | null) => void
  drop: (id: string) => void
  setPage: (id: string | null) => void
  ask: (wish?: GroundWish) => void
  closeDialog: () => void
}

const REMEMBERED = 'sightline.ground'
const remember = (id: string | null) => {
  if (id) sessionStorage.setItem(REMEMBERED, id)
  else sessionStorage.removeItem(REMEMBERED)
}

export const useGround = create<Ground>((set, getState) => ({
  grants: [],
  chosen: null,
  page: null,
  wish: null,
  load: async () => {
    const grants = (await getAll<Grant>('/grants')).filter(g => isLive(g, serverNow()))
    const remembered = sessionStorage.getItem(REMEMBERED)
    const chosen =
      grants.find(g => g.id === remembered) ?? grants.find(g => g.ground.kind !== 'alert') ?? null
    set({ grants, chosen: chosen?.id ?? null })
  },
  add: (grant, choose = true) => {
    set(s => ({ grants: [...s.grants.filter(g => g.id !== grant.id), grant] }))
    if (choose) getState().choose(grant.id)
  },
  choose: chosen => {
    remember(chosen)
    set({ chosen })
  },
  drop: id => {
    set(s => ({ grants: s.grants.filter(g => g.id !== id), page: s.page === id ? null : s.page }))
    if (getState().chosen === id) getState().choose(null)
  },
  setPage: page => set({ page }),
  ask: (wish = {}) => set({ wish }),
  closeDialog: () => set({ wish: null }),
}))

export const isLive = (grant: Grant, now: number) =>
  grant.ended_at === null && Date.parse(grant.expires_at) > now

/** Whether a grant's scope holds a camera, given the tree of regions. */
export function holdsCamera(
  grant: Grant,
  camera: Camera | undefined,
  id: string,
  regions: readonly Region[],
): boolean {
  if (grant.cameras.includes(id)) return true
  if (!camera || grant.regions.length === 0) return false
  const parents = new Map(regions.map(r => [r.id, r.parent]))
  for (let at: string | null | undefined = camera.region, i = 0; at && i < 12; at = parents.get(at), i++)
    if (grant.regions.includes(at)) return true
  return false
}

export const holdsTime = (grant: Grant, at: number) =>
  Date.parse(grant.from) <= at && at < Date.parse(grant.to)

/** The grounds a role may open: the same table as the gateway's. */
export const GROUNDS_OF: Record<Role, GroundKind[]> = {
  operator: ['patrol', 'alert', 'assistance'],
  investigator: ['case'],
  integrator: ['maintenance'],
  supervisor: ['alert', 'assistance'],
  auditor: [],
  admin: [],
}

/** Grounds whose scope may be a whole region; the others name their cameras one by one. */
export const byRegion = (kind: GroundKind) => kind === 'case' || kind === 'maintenance'

/** Forgets the grants on one thing that is over. */
export function dropGround(kind: GroundKind, ref: string) {
  const { grants, drop } = useGround.getState()
  for (const grant of grants) if (grant.ground.kind === kind && grant.ground.ref === ref) drop(grant.id)
}
