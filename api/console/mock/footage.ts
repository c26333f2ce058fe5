// Footage routes of the mock: timeline, key frames, stills, playlists and live, all from one looped clip.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { WebSocket } from 'ws'
import type { Camera } from '../src/api/types.ts'
import { FRAME_MS, GOP_MS, at, type Clip, type Media } from './media.ts'
import { FIRST, gapsOf, iso } from './world.ts'

const shiftOf = (camera: Camera) => Number(camera.id.split('-')[1]) * 7 * GOP_MS
const gopAt = (ms: number) => Math.floor(ms / GOP_MS) * GOP_MS
const clipOf = (media: Media, camera: Camera, stream: string): Clip =>
  camera.codec === 'h265' ? media.hevc : stream === 'sub' && camera.has_sub ? media.sub : media.main

const index = (camera: Camera, ms: number, length: number, unit: number) =>
  Math.floor((ms + shiftOf(camera)) / unit) % length

const missing = (camera: Camera, ms: number) => gapsOf(camera).find(g => g.from < ms + GOP_MS && ms < g.to)

function lastFrame(camera: Camera, ms: number): number {
  let found = gopAt(Math.min(ms, Date.now() - GOP_MS))
  for (let gap = missing(camera, found); gap; gap = missing(camera, found)) found = gopAt(gap.from) - GOP_MS
  return found
}

export function footage(media: Media, camera: Camera, rest: string, url: URL, res: ServerResponse) {
  const from = Date.parse(url.searchParams.get('from') ?? '')
  const to = Math.min(Date.now(), Date.parse(url.searchParams.get('to') ?? ''))
  const grant = url.searchParams.get('grant') ?? ''
  if (rest === 'timeline') return json(res, timeline(camera, from, to))
  if (rest === 'keyframes')
    return json(res, {
      items: gops(camera, from, to).map(ms => ({ at: iso(ms), bytes: 21_000 })),
      next: null,
    })
  if (rest === 'frame.jpg') return frame(media, camera, url.searchParams.get('at') ?? 'latest', res)
  if (rest === 'init.mp4') return bytes(res, clipOf(media, camera, 'main').init, 'video/mp4')
  if (rest === 'playlist.m3u8')
    return bytes(res, Buffer.from(playlist(camera, from, to, grant)), 'application/vnd.apple.mpegurl')
  if (rest === 'clip.mp4') return clip(media, camera, from, to, res)
  const segment = /^seg-(\d+)\.m4s$/.exec(rest)
  if (segment) {
    const ms = Number(segment[1])
    const { gops: list } = clipOf(media, camera, 'main')
    const gop = list[index(camera, ms, list.length, GOP_MS)]
    return bytes(res, gop ? at(gop, ms) : Buffer.alloc(0), 'video/iso.segment')
  }
  res.writeHead(404).end()
}

function timeline(camera: Camera, from: number, to: number) {
  const gaps = gapsOf(camera).filter(g => g.to > from && g.from < to)
  const spans = []
  let begin = Math.max(from, FIRST)
  for (const gap of [...gaps, { from: to, to }]) {
    if (gap.from > begin)
      spans.push({ from: iso(begin), to: iso(Math.min(gap.from, to)), policy: camera.policy })
    begin = Math.max(begin, gap.to)
  }
  const old = FIRST + 86_400_000 * 2
  const thinned = spans.flatMap(s =>
    Date.parse(s.from) < old
      ? [
          { ...s, to: iso(Math.min(old, Date.parse(s.to))), policy: 'keyframes' as const },
          { ...s, from: iso(old) },
        ].filter(x => x.from < x.to)
      : [s],
  )
  return {
    spans: thinned,
    gaps: gaps.map(g => ({
      from: iso(Math.max(from, g.from)),
      to: iso(Math.min(g.to, to)),
      reason: g.reason,
    })),
  }
}

function gops(camera: Camera, from: number, to: number): number[] {
  const out = []
  for (let ms = gopAt(from); ms < to - GOP_MS && out.length < 1000; ms += GOP_MS)
    if (!missing(camera, ms)) out.push(ms)
  return out
}

function playlist(camera: Camera, from: number, to: number, grant: string): string {
  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    '#EXT-X-TARGETDURATION:2',
    `#EXT-X-MAP:URI="init.mp4?grant=${grant}"`,
  ]
  let last = 0
  for (const ms of gops(camera, from, to)) {
    if (last !== 0 && ms !== last + GOP_MS) lines.push('#EXT-X-DISCONTINUITY')
    lines.push(`#EXT-X-PROGRAM-DATE-TIME:${iso(ms)}`, '#EXTINF:2.000,', `seg-${ms}.m4s?grant=${grant}`)
    last = ms
  }
  return [...lines, '#EXT-X-ENDLIST', ''].join('\n')
}

function clip(media: Media, camera: Camera, from: number, to: number, res: ServerResponse) {
  const { init, gops: list } = clipOf(media, camera, 'main')
  const parts = gops(camera, from, to).flatMap(ms => list[index(camera, ms, list.length, GOP_MS)] ?? [])
  res.setHeader('x-gaps', String(gapsOf(camera).filter(g => g.to > from && g.from < to).length))
  bytes(res, Buffer.concat([init, ...parts.map((p, i) => at(p, i * GOP_MS))]), 'video/mp4')
}

function frame(media: Media, camera: Camera, when: string, res: ServerResponse) {
  const ms = lastFrame(camera, when === 'latest' ? Date.now() : Date.parse(when))
  res.setHeader('x-frame-time', iso(ms))
  const still = media.stills[index(camera, ms, media.stills.length, GOP_MS)]
  setTimeout(() => bytes(res, still ?? Buffer.alloc(0), 'image/jpeg'), 15)
}

export function live(media: Media, camera: Camera, wanted: string, socket: WebSocket) {
  const stream = wanted === 'auto' ? (camera.has_sub ? 'sub' : 'main') : wanted
  const clip = clipOf(media, camera, stream)
  if (!camera.state.recording) {
    socket.send(JSON.stringify({ type: 'absent', since: camera.state.since, reason: camera.state.reason }))
    return
  }
  socket.send(
    JSON.stringify({ type: 'init', codec: clip.codec, width: clip.width, height: clip.height, stream }),
  )
  socket.send(clip.init)
  let next = gopAt(Date.now())
  const length = Math.floor(clip.frames.length / 20) * 20
  const timer = setInterval(() => {
    for (; next <= Date.now(); next += FRAME_MS) {
      if (next % GOP_MS === 0)
        socket.send(JSON.stringify({ type: 'time', at: iso(next), decode_time_90k: next * 90 }))
      const frame = clip.frames[index(camera, next, length, FRAME_MS)]
      if (frame) socket.send(at(frame, next))
    }
  }, 40)
  socket.on('close', () => clearInterval(timer))
}

export function json(res: ServerResponse, body: unknown, status = 200) {
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

export function bytes(res: ServerResponse, body: Buffer, type: string) {
  res.setHeader('cache-control', 'no-store')
  res.setHeader('content-type', type)
  res.end(body)
}

export type Request = IncomingMessage
