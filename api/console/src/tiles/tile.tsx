import { ActionIcon } from '@mantine/core'
import { IconX } from '@tabler/icons-react'
import { useEffect, useState, type DragEvent, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { Camera } from '../api/types'
import type { PlayerState, StreamChoice } from '../players/live'
import { Age, FrameTime, Trouble, deadOf } from './chrome'
import css from './tile.module.css'
import { useLastPicture, useLivePlayer, useStillPlayer } from './use'

export interface TileFrameProps {
  camera: string
  known: Camera | undefined
  name: string
  number?: number | undefined
  selected?: boolean
  choose?: (() => void) | undefined
  open?: (() => void) | undefined
  remove?: (() => void) | undefined
  /** A camera dropped on this tile. */
  drop?: ((dragged: string) => void) | undefined
  /** A newer frame is shown, or the first one. */
  onFrame?: ((camera: string, at: number) => void) | undefined
}

export const DRAGGED = 'application/x-sightline-camera'

interface Inside {
  picture: ReactNode
  state: PlayerState
  tag?: string | null
  frameAt?: number | null
}

/** The frame round every picture, whatever draws it. */
function Framed({ frame, inside }: { frame: TileFrameProps; inside: Inside }) {
  const { state } = inside
  const dead = deadOf(state, frame.known)
  const frameAt = state.frameAt ?? inside.frameAt ?? null
  const { onFrame, camera } = frame
  useEffect(() => {
    if (frameAt !== null) onFrame?.(camera, frameAt)
  }, [onFrame, camera, frameAt])
  return (
    <TileBox frame={frame} stale={state.staleFor !== null && !dead}>
      <div className={css.picture} data-dim={dead !== null} onDoubleClick={frame.open}>
        {inside.picture}
        <Trouble state={state} camera={frame.known} />
      </div>
      <div className={css.strip}>
        {frame.number ? <span className={css.key}>{frame.number}</span> : null}
        <span className={`${css.name} cut`} title={frame.name}>
          {frame.name}
        </span>
        <Age seconds={dead ? null : state.staleFor} />
        {inside.tag ? <span className={css.tag}>{inside.tag}</span> : null}
        <FrameTime at={frameAt} />
        <Remove frame={frame} />
      </div>
    </TileBox>
  )
}

/** The box alone: chosen, dragged and dropped on. */
export function TileBox({
  frame,
  stale,
  children,
}: {
  frame: TileFrameProps
  stale?: boolean
  children: ReactNode
}) {
  const [over, setOver] = useState(false)
  const accepts = (event: DragEvent) => frame.drop && event.dataTransfer.types.includes(DRAGGED)
  return (
    <div
      className={css.tile}
      data-testid={`tile-${frame.camera}`}
      data-selected={frame.selected ?? false}
      data-stale={stale ?? false}
      data-over={over}
      onMouseDown={frame.choose}
      draggable={frame.drop !== undefined}
      onDragStart={event => event.dataTransfer.setData(DRAGGED, frame.camera)}
      onDragOver={event => {
        if (!accepts(event)) return
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={event => {
        setOver(false)
        if (accepts(event)) frame.drop?.(event.dataTransfer.getData(DRAGGED))
      }}
    >
      {children}
    </div>
  )
}

function Remove({ frame }: { frame: TileFrameProps }) {
  const { t } = useTranslation()
  if (!frame.remove) return null
  return (
    <ActionIcon
      className={css.remove ?? ''}
      size={20}
      onClick={frame.remove}
      aria-label={t('wall.remove', { camera: frame.name })}
    >
      <IconX size={14} stroke={1.8} />
    </ActionIcon>
  )
}

export function LiveTile({
  frame,
  grant,
  stream,
}: {
  frame: TileFrameProps
  grant: string
  stream: StreamChoice
}) {
  const { t } = useTranslation()
  const { video, state } = useLivePlayer(frame.camera, grant, stream)
  const last = useLastPicture(frame.camera, grant, state.phase === 'absent' && state.frameAt === null)
  if (state.phase === 'unplayable')
    return (
      <StillTile
        frame={frame}
        grant={grant}
        width={960}
        why={t('wall.stillsCodec', { codec: codecName(state.codec) })}
      />
    )
  const stream_ = state.stream === 'main' ? t('wall.main') : state.stream === 'sub' ? t('wall.sub') : null
  return (
    <Framed
      frame={frame}
      inside={{
        state,
        frameAt: last?.frameAt ?? null,
        tag: state.keyframesOnly ? t('states.keyframes') : stream_,
        picture: (
          <>
            <video ref={video} muted playsInline disablePictureInPicture />
            {last ? <img src={last.url} alt="" /> : null}
          </>
        ),
      }}
    />
  )
}

export function StillTile(props: {
  frame: TileFrameProps
  grant: string
  width: number
  why?: string | undefined
}) {
  const { t } = useTranslation()
  const { image, state } = useStillPlayer(props.frame.camera, props.grant, props.width)
  return (
    <Framed
      frame={props.frame}
      inside={{
        state,
        tag: props.why ?? t('states.keyframes'),
        picture: <img ref={image} alt="" data-still />,
      }}
    />
  )
}

/** `hvc1.1.6.L90.90` is H.265 to people. */
export const codecName = (codec: string | null) =>
  !codec ? '?' : /^h(vc|ev)1/.test(codec) ? 'H.265' : codec.startsWith('avc') ? 'H.264' : codec
