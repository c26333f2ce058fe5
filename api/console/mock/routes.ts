// Every other route of the mock, as one table.

import { createHash, randomUUID } from 'node:crypto'
import type { Account, Alert, AlertState, Camera, Grant, Layout, Selection } from '../src/api/types.ts'
import * as world from './world.ts'

export interface Call {
  account: Account
  path: string[]
  query: URLSearchParams
  body: Record<string, unknown>
  text: string
}
export type Answer = { status?: number; body?: unknown }
type Handler = (call: Call) => Answer

export const listeners = new Set<(event: string, data: unknown) => void>()
export const tell = (event: string, data: unknown) => listeners.forEach(listener => listener(event, data))

const { iso } = world
const ok = (body?: unknown, status = 200): Answer => ({ body, status })
const page = (items: unknown[]) => ok({ items, next: null })
export const problem = (status: number, code: string, detail: string, remedy: string): Answer =>
  ok({ type: `/problems/${code}`, title: code, status, detail, code, remedy }, status)

export function record(account: Account | null, action: string, detail: string, more: object = {}) {
  const prev_hash = world.audit.at(-1)?.hash ?? '0'.repeat(64)
  const entry = {
    seq: world.audit.length + 1,
    at: iso(Date.now()),
    account: account?.id ?? null,
    action,
    grant: null,
    ground: null,
    camera: null,
    range: null,
    detail,
    prev_hash,
    ...more,
  }
  world.audit.push({
    ...entry,
    hash: createHash('sha256')
      .update(prev_hash + JSON.stringify(entry))
      .digest('hex'),
  })
}

function grant(account: Account, body: Record<string, unknown>): Grant {
  const to = Date.parse(String(body.to))
  const made: Grant = {
    ...(body as unknown as Grant),
    id: randomUUID(),
    account: account.id,
    created_at: iso(Date.now()),
    expires_at: iso(
      Math.min(
        Math.max(to, Date.now() + 600_000),
        Date.now() + Number(process.env.MOCK_GRANT_S ?? 7200) * 1000,
      ),
    ),
    ended_at: null,
  }
  world.grants.push(made)
  record(account, 'grant_opened', made.reason, { grant: made.id, ground: made.ground })
  return made
}

function choose(selection: Partial<Selection>): Camera[] {
  const inside = (region: string): boolean => {
    for (let at: string | null | undefined = region; at; at = world.regions.find(r => r.id === at)?.parent)
      if (selection.regions?.includes(at)) return true
    return !selection.regions?.length
  }
  return world.cameras
    .filter(c => !selection.cameras?.length || selection.cameras.includes(c.id))
    .filter(c => inside(c.region) && (selection.tags ?? []).every(t => c.tags.includes(t)))
    .slice(0, 12)
}

function startPatrol({ account, body }: Call): Answer {
  const plan = world.plans.find(p => p.id === body.plan)
  const chosen = choose((plan?.selection ?? body.selection ?? {}) as Selection)
  const patrol = {
    id: randomUUID(),
    plan: plan?.id ?? null,
    account: account.id,
    cameras: chosen.map(c => c.id),
    layout: (plan?.layout ?? body.layout ?? 4) as Layout,
    dwell_s: Number(plan?.dwell_s ?? body.dwell_s ?? 5),
    started_at: iso(Date.now()),
    ended_at: null,
  }
  world.patrols.set(patrol.id, { patrol, seen: [], findings: [], view: -1 })
  const made = grant(account, {
    ground: { kind: 'patrol', ref: patrol.id },
    cameras: patrol.cameras,
    regions: [],
    from: iso(Date.now() - 60_000),
    to: iso(Date.now() + 7_200_000),
    reason: plan?.name ?? 'view picked by hand',
  })
  return ok({ patrol, grant: made }, 201)
}

function nextView({ path }: Call): Answer {
  const run = world.patrols.get(path[1] ?? '')
  if (!run) return problem(404, 'not_found', 'No such patrol.', 'Start one.')
  const unseen = run.patrol.cameras.filter(c => !run.seen.some(s => s.camera === c))
  const views = Math.ceil(run.patrol.cameras.length / run.patrol.layout)
  const view = unseen
    .slice(0, run.patrol.layout)
    .map(c => ({ camera: c, name: world.cameras.find(x => x.id === c)?.name ?? c }))
  run.view = Math.floor((run.patrol.cameras.length - unseen.length) / run.patrol.layout)
  return ok({ view, index: run.view, views, done: unseen.length === 0, dwell_s: run.patrol.dwell_s })
}

function report({ path }: Call): Answer {
  const run = world.patrols.get(path[1] ?? '')
  if (!run) return problem(404, 'not_found', 'No such patrol.', 'Start one.')
  const { patrol, seen, findings } = run
  return ok({
    patrol,
    total: patrol.cameras.length,
    seen: seen.length,
    coverage: seen.length / patrol.cameras.length,
    missed: patrol.cameras.filter(c => !seen.some(s => s.camera === c)),
    seen_list: seen,
    findings,
  })
}

function patrolStep(step: string): Handler {
  return call => {
    const run = world.patrols.get(call.path[1] ?? '')
    if (!run) return problem(404, 'not_found', 'No such patrol.', 'Start one.')
    const now = iso(Date.now())
    if (step === 'seen')
      for (const s of call.body.cameras as { camera: string; shown_at: string; frame_at: string | null }[])
        if (!run.seen.some(known => known.camera === s.camera)) run.seen.push({ ...s, seen_at: now })
    if (step === 'findings')
      run.findings.push({ camera: String(call.body.camera), text: String(call.body.text), at: now })
    if (step === 'end') run.patrol.ended_at = now
    return ok(run.patrol)
  }
}

const AFTER: Record<string, AlertState> = {
  confirm: 'confirmed',
  dismiss: 'dismissed',
  dispatch: 'dispatched',
  resolve: 'resolved',
}

function moveAlert({ account, path, body }: Call): Answer {
  const alert = world.alerts.find(a => a.id === path[1])
  const step = path[2] as keyof typeof AFTER
  if (!alert || !AFTER[step]) return problem(404, 'not_found', 'No such alert.', 'Load the list again.')
  if (alert.revision !== body.revision)
    return problem(
      409,
      'conflict',
      'The alert was changed meanwhile.',
      'Look at its newest state, then decide.',
    )
  alert.state = AFTER[step]
  alert.revision++
  alert.history.push({
    at: iso(Date.now()),
    account: account.id,
    step: step as Alert['history'][0]['step'],
    note: String(body.note ?? ''),
  })
  record(account, 'alert_worked', `${step}: ${alert.title}`)
  tell('alert', alert)
  return ok(alert)
}

function passes(): Answer {
  const plates = ['京A10D45', '沪C5K902', '苏E77B31', '浙A2L8Q0', null]
  return page(
    Array.from({ length: 40 }, (_, i) => ({
      id: `pass-${i}`,
      time: iso(Date.now() - i * 47_000),
      camera: world.cameras[i % 6]?.id,
      lane: (i % 3) + 1,
      plate: plates[i % 5]
        ? {
            raw: plates[i % 5],
            region: 'CN',
            colour: i % 3 ? 'blue' : 'green',
            confidence: 0.97 - (i % 7) / 50,
          }
        : null,
      vehicle_class: ['car', 'van', 'truck', 'bus'][i % 4],
      vehicle_colour: 'white',
      direction: i % 2 ? 'approaching' : 'leaving',
      speed_kmh: 31 + ((i * 7) % 30),
    })),
  )
}

export const ROUTES: [string, RegExp, Handler][] = [
  [
    'GET',
    /^me$/,
    c =>
      ok({
        account: c.account,
        csrf: 'mock',
        expires_at: iso(Date.now() + 28_800_000),
        rights: world.rightsOf(c.account.role),
      }),
  ],
  ['GET', /^regions$/, () => page(world.regions)],
  ['GET', /^cameras$/, () => page(world.cameras)],
  [
    'POST',
    /^cameras$/,
    c => {
      const made = {
        ...world.cameras[0],
        ...c.body,
        revision: 1,
        state: { recording: false, since: iso(Date.now()), reason: null, detail: null, last_gop_at: null },
      } as Camera
      world.cameras.push(made)
      return ok(made, 201)
    },
  ],
  [
    'POST',
    /^cameras\/import$/,
    c =>
      ok({
        created: Math.max(0, c.text.trim().split('\n').length - 2),
        updated: 1,
        errors: [{ line: 3, message: 'region "nowhere" is not known' }],
      }),
  ],
  [
    'PATCH',
    /^cameras\/[^/]+$/,
    c => {
      const camera = world.cameras.find(x => x.id === c.path[1])
      Object.assign(camera ?? {}, c.body, { revision: (camera?.revision ?? 0) + 1 })
      return ok(camera)
    },
  ],
  [
    'DELETE',
    /^cameras\/[^/]+$/,
    c => {
      world.cameras.splice(
        world.cameras.findIndex(x => x.id === c.path[1]),
        1,
      )
      return ok(undefined, 204)
    },
  ],
  [
    'GET',
    /^cases$/,
    () => page([{ number: 'DEMO-1', title: '站前路口财物被盗', ends_at: iso(Date.now() + 86_400_000 * 20) }]),
  ],
  [
    'GET',
    /^grants$/,
    c =>
      page(
        world.grants.filter(
          g => g.account === c.account.id && !g.ended_at && Date.parse(g.expires_at) > Date.now(),
        ),
      ),
  ],
  ['POST', /^grants$/, c => ok(grant(c.account, c.body), 201)],
  [
    'DELETE',
    /^grants\/[^/]+$/,
    c => {
      const found = world.grants.find(g => g.id === c.path[1])
      if (found) found.ended_at = iso(Date.now())
      return ok(found)
    },
  ],
  ['GET', /^patrol-plans$/, () => page(world.plans)],
  [
    'POST',
    /^views\/select$/,
    c => {
      const chosen = choose(c.body.selection as Selection)
      return ok({
        tiles: chosen.map(x => ({ camera: x.id, name: x.name, stream: 'sub' })),
        total: chosen.length,
      })
    },
  ],
  ['POST', /^patrols$/, startPatrol],
  [
    'GET',
    /^patrols$/,
    c =>
      page(
        [...world.patrols.values()].map(r => r.patrol).filter(p => p.account === c.account.id && !p.ended_at),
      ),
  ],
  ['GET', /^patrols\/[^/]+\/next$/, nextView],
  ['GET', /^patrols\/[^/]+\/report$/, report],
  ['POST', /^patrols\/[^/]+\/seen$/, patrolStep('seen')],
  ['POST', /^patrols\/[^/]+\/findings$/, patrolStep('findings')],
  ['POST', /^patrols\/[^/]+\/end$/, patrolStep('end')],
  [
    'GET',
    /^alerts$/,
    c =>
      page(
        world.alerts.filter(
          a => c.query.get('state') !== 'open' || !['dismissed', 'resolved'].includes(a.state),
        ),
      ),
  ],
  ['GET', /^alerts\/[^/]+$/, c => ok(world.alerts.find(a => a.id === c.path[1]))],
  ['POST', /^alerts\/[^/]+\/\w+$/, moveAlert],
  ['GET', /^passes$/, passes],
  ['GET', /^hotlist$/, () => page(world.hotlist)],
  [
    'POST',
    /^hotlist\/[^/]+\/approve$/,
    c => {
      const entry = world.hotlist.find(h => h.id === c.path[1])
      if (entry) entry.approver = c.account.id
      return ok(entry)
    },
  ],
  [
    'DELETE',
    /^hotlist\/[^/]+$/,
    c => {
      const entry = world.hotlist.find(h => h.id === c.path[1])
      if (entry) entry.withdrawn_at = iso(Date.now())
      return ok(entry)
    },
  ],
  [
    'POST',
    /^hotlist$/,
    c => {
      world.hotlist.push({
        ...(c.body as unknown as (typeof world.hotlist)[0]),
        id: randomUUID(),
        author: c.account.id,
        approver: null,
        withdrawn_at: null,
        created_at: iso(Date.now()),
      })
      return ok(world.hotlist.at(-1), 201)
    },
  ],
  ['GET', /^audit\/entries$/, () => page([...world.audit].reverse())],
  [
    'GET',
    /^audit\/verify$/,
    () => ok({ entries: world.audit.length, head: world.audit.at(-1)?.hash ?? '', ok: true }),
  ],
  [
    'GET',
    /^status$/,
    () =>
      ok({
        version: '0.1.0-mock',
        node: 'mock-1',
        uptime_s: 4127,
        cameras: {
          total: world.cameras.length,
          recording: world.cameras.filter(c => c.state.recording).length,
          waiting: 1,
          disabled: 1,
        },
        footage: {
          streams: 9,
          bytes: 18_213_884_123,
          segments: 71,
          free_bytes: 712_000_000_000,
          synced_at: iso(Date.now() - 400),
        },
        gateway: { passes: 5121, alerts: 3, rejected: 0, duplicates: 12 },
      }),
  ],
]
