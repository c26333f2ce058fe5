import { useEffect, useRef, useState, type PointerEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { serverNow } from '../../api/http'
import { hit, pan, toTime, zoomAt, type View } from '../../lib/timeline'
import { useSize, useStable } from '../../ui/hooks'
import { useComputedColorScheme } from '@mantine/core'
import { HEIGHT, TRACK, draw, palette, type Event, type Scene } from './draw'
import { Tip, type Tipped } from './tip'
import css from './timeline.module.css'

interface Props {
  scene: Omit<Scene, 'hover' | 'now' | 'changeLabel'>
  /** A still for the pointer, `null` while it is not yet there. */
  still: { url: string; frameAt: number | null } | null
  moveView: (view: View) => void
  /** The pointer rests at an instant, or has left. */
  point: (at: number | null) => void
  /** The play head is being pulled. */
  scrub: (at: number) => void
  /** Released: play from here. */
  release: (at: number) => void
}

/** How far a press may move and still be a click, in pixels. */
const CLICK_PX = 4

export function Timeline({ scene, still, moveView, point, scrub, release }: Props) {
  const { t } = useTranslation()
  const [box, { width }] = useSize<HTMLDivElement>()
  const canvas = useRef<HTMLCanvasElement>(null)
  const [hover, setHover] = useState<{ x: number; at: number } | null>(null)
  const [hand, setHand] = useState<'scrub' | 'pan' | null>(null)
  const press = useRef<{ x: number; from: View; kind: 'scrub' | 'pan'; moved: boolean } | null>(null)
  const scheme = useComputedColorScheme('dark')

  useEffect(() => {
    const element = canvas.current
    const g = element?.getContext('2d')
    if (!element || !g || width === 0) return
    const scale = window.devicePixelRatio || 1
    element.width = Math.round(width * scale)
    element.height = Math.round(HEIGHT * scale)
    g.setTransform(scale, 0, 0, scale, 0, 0)
    const changeLabel = (before: string, after: string) => t('playback.offsetChange', { before, after })
    draw(g, width, { ...scene, hover: hover?.at ?? null, now: serverNow(), changeLabel }, palette(element))
  }, [scene, hover, width, scheme, t])

  const onWheel = useStable((event: WheelEvent) => {
    event.preventDefault()
    const x = event.clientX - (canvas.current?.getBoundingClientRect().left ?? 0)
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) moveView(pan(scene.view, width, -event.deltaX))
    else
      moveView(zoomAt(scene.view, width, x, Math.exp(Math.max(-240, Math.min(240, event.deltaY)) * 0.0022)))
  })
  // React listens passively to the wheel; the page must not scroll under the timeline.
  useEffect(() => {
    const element = canvas.current
    element?.addEventListener('wheel', onWheel, { passive: false })
    return () => element?.removeEventListener('wheel', onWheel)
  }, [onWheel])

  const place = (event: PointerEvent) => {
    const { left, top } = event.currentTarget.getBoundingClientRect()
    return { x: event.clientX - left, y: event.clientY - top }
  }
  const timeAt = (x: number) => toTime(scene.view, width, x)

  const down = (event: PointerEvent) => {
    const { x, y } = place(event)
    // The track scrubs; the axis above it, or any other button, moves the view.
    const kind = event.button === 0 && y >= TRACK.top - 4 ? 'scrub' : 'pan'
    press.current = { x, from: scene.view, kind, moved: false }
    event.currentTarget.setPointerCapture(event.pointerId)
  }
  const move = (event: PointerEvent) => {
    const { x } = place(event)
    setHover({ x, at: timeAt(x) })
    const held = press.current
    if (!held) return point(timeAt(x))
    if (!held.moved && Math.abs(x - held.x) < CLICK_PX) return
    held.moved = true
    setHand(held.kind)
    if (held.kind === 'pan') moveView(pan(held.from, width, x - held.x))
    else scrub(timeAt(Math.max(0, Math.min(width, x))))
  }
  const up = (event: PointerEvent) => {
    const held = press.current
    press.current = null
    setHand(null)
    if (!held || (held.kind === 'pan' && held.moved)) return
    release(timeAt(place(event).x))
  }
  const leave = () => {
    setHover(null)
    point(null)
  }

  const tipped: Tipped | null = hover && hand !== 'pan' ? tipOf(scene, width, hover.at) : null
  return (
    <div className={css.timeline} ref={box}>
      <canvas
        ref={canvas}
        data-testid="timeline"
        data-hand={hand}
        role="img"
        aria-label={`${t('playback.legend')}. ${t('playback.timelineHelp')}`}
        onPointerDown={down}
        onPointerMove={move}
        onPointerUp={up}
        onPointerLeave={leave}
        onContextMenu={event => event.preventDefault()}
      />
      {tipped && hover ? (
        <Tip x={Math.max(114, Math.min(width - 114, hover.x))} at={hover.at} tipped={tipped} still={still} />
      ) : null}
    </div>
  )
}

/** What lies under the pointer. */
function tipOf(scene: Props['scene'], width: number, at: number): Tipped {
  const slack = ((scene.view.to - scene.view.from) / width) * 5
  const gap = hit(scene.gaps, at, slack)
  const span = hit(scene.spans, at, 0)
  const event: Event | undefined = scene.events.find(e => Math.abs(e.at - at) < slack)
  const outside = scene.scope !== null && (at < scene.scope.from || at >= scene.scope.to)
  return { gap, span, event: event ?? null, outside }
}
