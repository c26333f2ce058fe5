// The shapes of /api/v1 as the console uses them. Times are RFC 3339 text, ids are text.

export type Role = 'operator' | 'investigator' | 'integrator' | 'supervisor' | 'auditor' | 'admin'

export type Right =
  | 'see_cameras'
  | 'edit_cameras'
  | 'run_patrols'
  | 'work_alerts'
  | 'search_passes'
  | 'propose_hotlist'
  | 'approve_hotlist'
  | 'edit_plans'
  | 'see_reports'
  | 'edit_cases'
  | 'edit_accounts'
  | 'read_audit'
  | 'see_state'

export interface Account {
  id: string
  name: string
  role: Role
  unit: string
}

export interface Me {
  account: Account
  csrf: string | null
  expires_at: string
  rights: Right[]
}

export interface Page<T> {
  items: T[]
  next: string | null
}

export interface Region {
  id: string
  parent: string | null
  level: 'province' | 'city' | 'district' | 'town' | 'community'
  name: string
}

export type GapReason =
  | 'unknown'
  | 'gateway_stopped'
  | 'unreachable'
  | 'unauthorized'
  | 'disconnected'
  | 'stalled'
  | 'bad_stream'
  | 'packet_loss'
  | 'disabled'
  | 'disk_overload'
  | 'clock_jump'
  | 'damaged'
  | 'expired'
  | 'shed'

/** Why a camera is not recording: a gap's reason, or that it has just begun. */
export type StateReason = GapReason | 'connecting' | 'starting' | 'no_ingest'

export type Policy = 'full' | 'keyframes'
export type CameraKind = 'street' | 'compound' | 'key_site'

export interface Position {
  lat: number
  lon: number
  bearing_deg: number
  fov_deg: number
  range_m: number
}

export interface CameraState {
  recording: boolean
  since: string | null
  reason: StateReason | null
  detail: string | null
  retry_at?: string | null
  last_gop_at: string | null
}

export interface Camera {
  id: string
  name: string
  region: string
  kind: CameraKind
  position: Position | null
  tags: string[]
  policy: Policy
  enabled: boolean
  codec?: string | null
  has_sub: boolean
  revision: number
  state: CameraState
  main_url?: string
  sub_url?: string | null
  has_credentials?: boolean
}

export interface CameraDraft {
  id?: string
  name: string
  region: string
  kind: CameraKind
  position: Position | null
  tags: string[]
  policy: Policy
  enabled: boolean
  main_url: string
  sub_url: string | null
  credentials?: { user: string; password: string } | null
  revision?: number
}

export interface ImportResult {
  created: number
  updated: number
  errors: { line: number; message: string }[]
}

export type GroundKind = 'patrol' | 'alert' | 'case' | 'assistance' | 'maintenance'

export interface Grant {
  id: string
  account: string
  ground: { kind: GroundKind; ref: string }
  reason: string
  cameras: string[]
  regions: string[]
  from: string
  to: string
  created_at: string
  expires_at: string
  ended_at: string | null
}

export interface GrantRequest {
  ground: { kind: GroundKind; ref: string }
  cameras: string[]
  regions: string[]
  from: string
  to: string
  reason: string
}

export interface Case {
  number: string
  title: string
  ends_at: string
}

export interface Span {
  from: string
  to: string
  policy: Policy
}

export interface Gap {
  from: string
  to: string
  reason: GapReason
}

export interface Timeline {
  spans: Span[]
  gaps: Gap[]
}

export interface KeyFrame {
  at: string
  bytes: number
}

export interface Selection {
  regions: string[]
  cameras: string[]
  tags: string[]
  unseen_for_s: number | null
}

export type Layout = 1 | 4 | 9

export interface Plan {
  id: string
  name: string
  selection: Selection
  layout: Layout
  dwell_s: number
  author: string
  created_at: string
}

export interface Patrol {
  id: string
  plan: string | null
  account: string
  cameras: string[]
  layout: Layout
  dwell_s: number
  started_at: string
  ended_at: string | null
}

export interface PatrolView {
  view: { camera: string; name: string }[]
  index: number
  views: number
  done: boolean
  dwell_s: number
}

export interface Seen {
  camera: string
  shown_at: string
  seen_at: string
  frame_at: string | null
}

export interface Finding {
  camera: string
  at: string
  text: string
}

export interface PatrolReport {
  patrol: Patrol
  total: number
  seen: number
  coverage: number
  missed: (string | { camera: string; name: string })[]
  seen_list: Seen[]
  findings: Finding[]
}

export interface ViewTiles {
  tiles: { camera: string; name: string; stream: string }[]
  total: number
}

export type AlertState = 'candidate' | 'confirmed' | 'dismissed' | 'dispatched' | 'resolved'
export type AlertStep = 'confirm' | 'dismiss' | 'dispatch' | 'resolve'
export type Severity = 'minor' | 'moderate' | 'severe' | 'extreme'

export type AlertSource =
  | {
      kind: 'hotlist'
      hotlist: string
      event: string
      plate_read: string
      plate_listed: string
      look_alike: boolean
      reason: string
    }
  | { kind: 'alarm'; event: string; alarm: string; drill: boolean }

export interface AlertNote {
  at: string
  account: string
  step: AlertStep
  note: string
}

export interface Alert {
  id: string
  state: AlertState
  source: AlertSource
  severity: Severity
  title: string
  occurred_at: string
  raised_at: string
  camera: string | null
  region: string | null
  position: Position | null
  repeats: number
  history: AlertNote[]
  revision: number
}

export interface Pass {
  id: string
  time: string
  camera: string
  lane?: number | null
  plate?: { raw: string; region?: string | null; colour?: string | null; confidence?: number | null } | null
  vehicle_class?: string | null
  vehicle_colour?: string | null
  direction?: string | null
  speed_kmh?: number | null
  plate_normalised?: string | null
  hit?: boolean
}

export interface HotlistEntry {
  id: string
  plate: string
  reason: string
  case: string
  region: string | null
  author: string
  approver: string | null
  valid_from: string
  valid_to: string
  withdrawn_at: string | null
  created_at: string
}

export interface AuditEntry {
  seq: number
  at: string
  account: string | null
  action: string
  grant: string | null
  ground: { kind: GroundKind; ref: string } | null
  camera: string | null
  range: { from: string; to: string } | null
  detail: string
  prev_hash: string
  hash: string
}

export interface AuditVerdict {
  entries: number
  head: string | null
  ok: boolean
  broken?: string | null
}

export type Status = { version: string; node: string } & Record<string, unknown>
