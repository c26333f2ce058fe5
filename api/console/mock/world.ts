// The mock's world: a small district, its cameras, its people and what happens there. In memory only.

import { randomUUID } from 'node:crypto'
import type {
  Account,
  Alert,
  AuditEntry,
  Camera,
  Grant,
  HotlistEntry,
  Patrol,
  Plan,
  Region,
  Right,
} from '../src/api/types.ts'

export const START = Date.now()
export const iso = (ms: number) => new Date(ms).toISOString()
const ago = (s: number) => iso(START - s * 1000)

export const regions: Region[] = [
  { id: 'demo-city', parent: null, level: 'city', name: '示范市' },
  { id: 'river-east', parent: 'demo-city', level: 'district', name: '河东区' },
  { id: 'station-road', parent: 'river-east', level: 'town', name: '站前街道' },
  { id: 'garden', parent: 'river-east', level: 'community', name: '花园社区' },
]

const RIGHTS: Record<Account['role'], Right[]> = {
  operator: ['see_cameras', 'run_patrols', 'work_alerts', 'see_state'],
  investigator: ['see_cameras', 'search_passes', 'work_alerts', 'propose_hotlist', 'see_state'],
  integrator: ['see_cameras', 'edit_cameras', 'see_state'],
  supervisor: [
    'see_cameras',
    'see_state',
    'see_reports',
    'edit_plans',
    'approve_hotlist',
    'work_alerts',
    'read_audit',
    'edit_cases',
  ],
  auditor: ['read_audit', 'see_reports', 'see_state'],
  admin: ['see_cameras', 'edit_cameras', 'edit_accounts', 'edit_plans', 'edit_cases', 'see_state'],
}
export const rightsOf = (role: Account['role']) => RIGHTS[role]

const NAMES = [
  '站前路口东',
  '站前路口西',
  '花园小区 3 号门',
  '花园小区 12 号楼',
  '客运站进站口',
  '解放路南段',
  '解放路北段',
  '第二小学正门',
  '滨河公园',
]
const WORDS = [
  'Station crossing, east',
  'Station crossing, west',
  'Garden estate, gate 3',
  'Garden estate, block 12',
  'Coach station entrance',
  'Liberation road, south',
  'Liberation road, north',
  'Primary school 2, main gate',
  'Riverside park',
]

export const cameras: Camera[] = NAMES.map((name, i) => ({
  id: `cam-${i + 1}`,
  name: process.env.MOCK_NAMES === 'en' ? (WORDS[i] ?? name) : name,
  region: i === 2 || i === 3 ? 'garden' : 'station-road',
  kind: i === 2 || i === 3 ? 'compound' : i === 4 || i === 7 ? 'key_site' : 'street',
  position: {
    lat: 31.2 + i / 1000,
    lon: 121.4 + i / 900,
    bearing_deg: (i * 40) % 360,
    fov_deg: 90,
    range_m: 60,
  },
  tags: i % 2 ? ['gate', 'night'] : ['crossing'],
  policy: i === 8 ? 'keyframes' : 'full',
  enabled: i !== 6,
  codec: i === 5 ? 'h265' : 'h264',
  has_sub: i !== 5,
  revision: 1,
  main_url: `rtsp://10.20.0.${i + 11}/main`,
  sub_url: i === 5 ? null : `rtsp://10.20.0.${i + 11}/sub`,
  state:
    i === 3
      ? {
          recording: false,
          since: ago(754),
          reason: 'disconnected',
          detail: 'The camera closed the connection after 41 s without a key frame.',
          retry_at: iso(START + 8000),
          last_gop_at: ago(756),
        }
      : i === 6
        ? { recording: false, since: ago(86_000), reason: 'disabled', detail: null, last_gop_at: ago(86_000) }
        : { recording: true, since: ago(3600 * (i + 2)), reason: null, detail: null, last_gop_at: ago(1) },
}))

for (let i = 10; i <= Number(process.env.MOCK_CAMERAS ?? 60); i++)
  cameras.push({
    ...structuredClone(cameras[i % 9] as Camera),
    id: `cam-${i}`,
    name: `${process.env.MOCK_NAMES === 'en' ? 'Harbour road' : '港口路'} ${i}`,
  })

export const accounts: Account[] = (Object.keys(RIGHTS) as Account['role'][]).map(role => ({
  id: randomUUID(),
  name: `demo-${role}`,
  role,
  unit: role === 'supervisor' ? 'supervision' : 'command-centre',
}))

export const grants: Grant[] = []
export const audit: AuditEntry[] = []
export const patrols = new Map<
  string,
  {
    patrol: Patrol
    seen: { camera: string; shown_at: string; seen_at: string; frame_at: string | null }[]
    findings: { camera: string; at: string; text: string }[]
    view: number
  }
>()

export const plans: Plan[] = [
  plan('早高峰 · 学校与客运站', ['station-road'], 4, 6),
  plan('花园社区夜间', ['garden'], 4, 10),
  plan('全区巡看', ['river-east'], 9, 8),
]

function plan(name: string, places: string[], layout: 4 | 9, dwell_s: number): Plan {
  return {
    id: randomUUID(),
    name,
    selection: { regions: places, cameras: [], tags: [], unseen_for_s: null },
    layout,
    dwell_s,
    author: accounts[3]?.id ?? '',
    created_at: ago(90_000),
  }
}

export const hotlist: HotlistEntry[] = [
  hot('京A10D45', 'stolen', true),
  hot('沪B88K21', 'hit_and_run', false),
]

function hot(plate: string, reason: string, approved: boolean): HotlistEntry {
  return {
    id: randomUUID(),
    plate,
    reason,
    case: 'DEMO-1',
    region: null,
    author: accounts[1]?.id ?? '',
    approver: approved ? (accounts[3]?.id ?? '') : null,
    valid_from: ago(80_000),
    valid_to: iso(START + 86_400_000 * 6),
    withdrawn_at: null,
    created_at: ago(80_000),
  }
}

export const alerts: Alert[] = [
  alert(
    {
      kind: 'hotlist',
      hotlist: hotlist[0]?.id ?? '',
      event: 'p-1',
      plate_read: '京A1OD45',
      plate_listed: '京A10D45',
      look_alike: true,
      reason: 'stolen',
    },
    'severe',
    'cam-1',
    'Stolen vehicle 京A10D45 at Station crossing, east',
    40,
  ),
  alert(
    { kind: 'alarm', event: 'a-1', alarm: 'help_button', drill: false },
    'extreme',
    'cam-5',
    'Help button, coach station entrance',
    95,
  ),
  alert(
    { kind: 'alarm', event: 'a-2', alarm: 'door_forced', drill: true },
    'moderate',
    'cam-3',
    'Door forced, garden estate gate 3',
    300,
  ),
]

export function alert(
  source: Alert['source'],
  severity: Alert['severity'],
  camera: string,
  title: string,
  secondsAgo: number,
): Alert {
  const at = iso(Date.now() - secondsAgo * 1000)
  return {
    id: randomUUID(),
    state: 'candidate',
    source,
    severity,
    title,
    occurred_at: at,
    raised_at: at,
    camera,
    region: 'station-road',
    position: null,
    repeats: secondsAgo > 200 ? 2 : 0,
    history: [],
    revision: 1,
  }
}

/** Missing footage of a camera, newest last: some for every camera, and what its state says. */
export function gapsOf(camera: Camera): { from: number; to: number; reason: string }[] {
  const shift = Number(camera.id.split('-')[1]) * 97_000
  const gaps = [
    { from: START - 5_400_000 + shift, to: START - 5_260_000 + shift, reason: 'disconnected' },
    { from: START - 1_500_000 + shift / 3, to: START - 1_459_000 + shift / 3, reason: 'stalled' },
    { from: START - 40_000_000, to: START - 38_700_000, reason: 'gateway_stopped' },
  ]
  if (!camera.state.recording)
    gaps.push({
      from: Date.parse(camera.state.since ?? ago(0)),
      to: Date.now(),
      reason: camera.state.reason ?? 'unknown',
    })
  return gaps.filter(g => g.from < Date.now()).sort((a, b) => a.from - b.from)
}

export const FIRST = START - 3 * 86_400_000
