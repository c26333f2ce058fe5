// Real H.264 for the mock: the simulator's clips, cut by ffmpeg into fragments and key-frame pictures at start.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const CLIPS = fileURLToPath(new URL('../../../sim/media', import.meta.url))
const CACHE = fileURLToPath(new URL('../node_modules/.cache/sightline-mock', import.meta.url))

export interface Fragment {
  bytes: Buffer
  /** Where the decode time stands. */
  tfdt: number
}

export interface Clip {
  init: Buffer
  gops: Fragment[]
  frames: Fragment[]
  codec: string
  width: number
  height: number
}

export const GOP_MS = 2000
export const FRAME_MS = 100

export interface Media {
  main: Clip
  sub: Clip
  hevc: Clip
  stills: Buffer[]
}

export function prepareMedia(): Media {
  mkdirSync(CACHE, { recursive: true })
  return {
    main: clip('street.h264', 'h264', 'avc1.64001E', 768, 576),
    sub: clip('street-sub.h264', 'h264', 'avc1.640014', 384, 288),
    hevc: clip('street.h265', 'hevc', 'hvc1.1.6.L90.90', 768, 576),
    stills: stills(),
  }
}

function ffmpeg(...args: string[]) {
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...args], { stdio: ['ignore', 'inherit', 'inherit'] })
}

function cut(name: string, format: string, flag: string): Buffer {
  const out = join(CACHE, `${name}.${flag}.mp4`)
  if (!existsSync(out))
    ffmpeg(
      ...['-framerate', '10', '-f', format, '-i', join(CLIPS, name), '-c', 'copy', '-tag:v'],
      ...[format === 'hevc' ? 'hvc1' : 'avc1', '-video_track_timescale', '90000'],
      ...['-movflags', `${flag}+empty_moov+default_base_moof`, out],
    )
  return readFileSync(out)
}

function clip(name: string, format: string, codec: string, width: number, height: number): Clip {
  const gops = split(cut(name, format, 'frag_keyframe'))
  const frames = split(cut(name, format, 'frag_every_frame'))
  return {
    init: gops.init,
    gops: gops.fragments.slice(0, -1),
    frames: frames.fragments,
    codec,
    width,
    height,
  }
}

function split(file: Buffer): { init: Buffer; fragments: Fragment[] } {
  const fragments: Fragment[] = []
  let initEnd = 0
  for (let at = 0; at + 8 <= file.length;) {
    const size = file.readUInt32BE(at)
    const type = file.toString('latin1', at + 4, at + 8)
    if (type === 'moov') initEnd = at + size
    if (type === 'moof') {
      const end = at + size + file.readUInt32BE(at + size)
      const bytes = file.subarray(at, end)
      fragments.push({ bytes, tfdt: bytes.indexOf('tfdt', 0, 'latin1') + 8 })
    }
    at += size
  }
  return { init: file.subarray(0, initEnd), fragments }
}

/** The fragment with another decode time (ffmpeg writes version 1 boxes: 64 bits). */
export function at(fragment: Fragment, ms: number): Buffer {
  const bytes = Buffer.from(fragment.bytes)
  bytes.writeBigUInt64BE(BigInt(Math.round(ms * 90)), fragment.tfdt)
  return bytes
}

function stills(): Buffer[] {
  const dir = join(CACHE, 'stills')
  if (!existsSync(dir)) {
    mkdirSync(dir)
    ffmpeg(
      ...['-skip_frame', 'nokey', '-framerate', '10', '-f', 'h264', '-i', join(CLIPS, 'street.h264')],
      ...['-vsync', '0', '-q:v', '4', join(dir, '%03d.jpg')],
    )
  }
  return readdirSync(dir)
    .sort()
    .map(name => readFileSync(join(dir, name)))
}
