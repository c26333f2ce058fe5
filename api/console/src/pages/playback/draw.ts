// Drawing the timeline. Everything it needs comes in; it keeps nothing.

import type { Policy } from '../../api/types'
import { bar, offsetChanges, offsetLabel, ticks, toX, type View } from '../../lib/timeline'

export interface Bar {
  from: number
  to: number
  policy: Policy
}
export interface Hole {
  from: number
  to: number
  reason: string
}
export interface Event {
  id: string
  at: number
  title: string
}

export interface Scene {
  view: View
  zone: string
  spans: readonly Bar[]
  gaps: readonly Hole[]
  events: readonly Event[]
  /** What the ground allows; outside of it nothing is drawn but a shade. */
  scope: { from: number; to: number } | null
  head: number | null
  hover: number | null
  now: number
  changeLabel: (before: string, after: string) => string
}

export interface Palette {
  text: string
  muted: string
  line: string
  strong: string
  surface: string
  raised: string
  accent: string
  recording: string
  alarm: string
  stale: string
  down: string
  font: string
}

export const AXIS = 22
export const TRACK = { top: 34, height: 34 }
export const HEIGHT = 84

export function palette(element: Element): Palette {
  const style = getComputedStyle(element)
  const of = (name: string) => style.getPropertyValue(`--${name}`).trim()
  return {
    text: of('text'),
    muted: of('muted'),
    line: of('line'),
    strong: of('line-strong'),
    surface: of('surface-2'),
    raised: of('raised'),
    accent: of('accent'),
    recording: of('recording'),
    alarm: of('alarm'),
    stale: of('stale'),
    down: of('down'),
    font: style.fontFamily,
  }
}

export function draw(g: CanvasRenderingContext2D, width: number, scene: Scene, p: Palette) {
  g.clearRect(0, 0, width, HEIGHT)
  drawGround(g, width, scene, p)
  drawAxis(g, width, scene, p)
  for (const span of scene.spans) drawSpan(g, width, scene.view, span, p)
  for (const gap of scene.gaps) drawGap(g, width, scene.view, gap, p)
  drawChanges(g, width, scene, p)
  drawEvents(g, width, scene, p)
  drawNow(g, width, scene, p)
  drawHover(g, width, scene, p)
  drawHead(g, width, scene, p)
}

function drawGround(g: CanvasRenderingContext2D, width: number, { view, scope }: Scene, p: Palette) {
  g.fillStyle = p.surface
  g.fillRect(0, TRACK.top, width, TRACK.height)
  if (!scope) return
  g.save()
  g.globalAlpha = 0.5
  g.fillStyle = p.raised
  for (const outside of [
    { from: view.from, to: Math.min(scope.from, view.to) },
    { from: Math.max(scope.to, view.from), to: view.to },
  ]) {
    const b = outside.from < outside.to ? bar(view, width, outside) : null
    if (b) g.fillRect(b.x, AXIS, b.w, HEIGHT - AXIS)
  }
  g.restore()
}

function drawSpan(g: CanvasRenderingContext2D, width: number, view: View, span: Bar, p: Palette) {
  const b = bar(view, width, span)
  if (!b) return
  g.fillStyle = p.recording
  if (span.policy === 'full') {
    g.globalAlpha = 0.82
    g.fillRect(b.x, TRACK.top + 6, b.w, TRACK.height - 12)
    g.globalAlpha = 1
    return
  }
  // Hatched: key frames only.
  g.save()
  g.beginPath()
  g.rect(b.x, TRACK.top + 6, b.w, TRACK.height - 12)
  g.clip()
  g.globalAlpha = 0.2
  g.fillRect(b.x, TRACK.top, b.w, TRACK.height)
  g.globalAlpha = 0.9
  g.strokeStyle = p.recording
  g.lineWidth = 1.5
  g.beginPath()
  const h = TRACK.height
  for (let x = Math.floor((b.x - h) / 7) * 7; x < b.x + b.w; x += 7) {
    g.moveTo(x, TRACK.top + h)
    g.lineTo(x + h, TRACK.top)
  }
  g.stroke()
  g.restore()
}

function drawGap(g: CanvasRenderingContext2D, width: number, view: View, gap: Hole, p: Palette) {
  const b = bar(view, width, gap, 3)
  if (!b) return
  g.fillStyle = p.surface
  g.fillRect(b.x, TRACK.top + 5, b.w, TRACK.height - 10)
  g.strokeStyle = p.stale
  g.lineWidth = 1
  g.setLineDash([3, 3])
  g.strokeRect(Math.round(b.x) + 0.5, TRACK.top + 6.5, Math.max(2, Math.round(b.w) - 1), TRACK.height - 13)
  g.setLineDash([])
}

function drawAxis(g: CanvasRenderingContext2D, width: number, { view, zone }: Scene, p: Palette) {
  g.font = `11.500px ${p.font}`
  g.textBaseline = 'middle'
  g.textAlign = 'left'
  for (const tick of ticks(view, width, zone)) {
    const x = Math.round(toX(view, width, tick.at)) + 0.5
    g.strokeStyle = tick.day ? p.strong : p.line
    g.lineWidth = 1
    g.beginPath()
    g.moveTo(x, tick.day ? 2 : AXIS - 6)
    g.lineTo(x, HEIGHT)
    g.stroke()
    g.fillStyle = tick.day ? p.text : p.muted
    if (x < width - 30) g.fillText(tick.label, x + 5, AXIS / 2 + 1)
  }
}

/** A change of the clocks is drawn where it happens, not smoothed over. */
function drawChanges(
  g: CanvasRenderingContext2D,
  width: number,
  { view, zone, changeLabel }: Scene,
  p: Palette,
) {
  for (const change of offsetChanges(view, zone)) {
    const x = toX(view, width, change.at)
    g.strokeStyle = p.stale
    g.setLineDash([2, 2])
    g.beginPath()
    g.moveTo(x, 0)
    g.lineTo(x, HEIGHT)
    g.stroke()
    g.setLineDash([])
    g.fillStyle = p.stale
    g.fillText(changeLabel(offsetLabel(change.before), offsetLabel(change.after)), x + 5, HEIGHT - 7)
  }
}

/** Alarms: a diamond under the track. */
function drawEvents(g: CanvasRenderingContext2D, width: number, { view, events }: Scene, p: Palette) {
  const y = TRACK.top + TRACK.height + 8
  g.fillStyle = p.alarm
  for (const event of events) {
    const x = toX(view, width, event.at)
    if (x < -6 || x > width + 6) continue
    g.beginPath()
    g.moveTo(x, y - 5)
    g.lineTo(x + 5, y)
    g.lineTo(x, y + 5)
    g.lineTo(x - 5, y)
    g.fill()
  }
}

function drawNow(g: CanvasRenderingContext2D, width: number, { view, now }: Scene, p: Palette) {
  if (now >= view.to) return
  const x = Math.max(0, toX(view, width, now))
  g.save()
  g.globalAlpha = 0.55
  g.fillStyle = p.surface
  g.fillRect(x, AXIS, width - x, HEIGHT - AXIS)
  g.restore()
  g.strokeStyle = p.muted
  g.beginPath()
  g.moveTo(x + 0.5, AXIS)
  g.lineTo(x + 0.5, HEIGHT)
  g.stroke()
}

function drawHover(g: CanvasRenderingContext2D, width: number, { view, hover }: Scene, p: Palette) {
  if (hover === null) return
  const x = Math.round(toX(view, width, hover)) + 0.5
  g.strokeStyle = p.muted
  g.lineWidth = 1
  g.beginPath()
  g.moveTo(x, AXIS)
  g.lineTo(x, HEIGHT)
  g.stroke()
}

function drawHead(g: CanvasRenderingContext2D, width: number, { view, head }: Scene, p: Palette) {
  if (head === null) return
  const x = toX(view, width, head)
  if (x < -8 || x > width + 8) return
  g.fillStyle = p.accent
  g.fillRect(x - 1, AXIS, 2, HEIGHT - AXIS)
  g.beginPath()
  g.moveTo(x - 6, AXIS - 4)
  g.lineTo(x + 6, AXIS - 4)
  g.lineTo(x, AXIS + 4)
  g.fill()
}
