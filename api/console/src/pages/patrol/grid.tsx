import type { Camera, Layout } from '../../api/types'
import { LiveTile, StillTile } from '../../tiles/tile'
import wall from '../wall/wall.module.css'
import css from './patrol.module.css'

interface Props {
  cameras: { id: string; name: string }[]
  known: Map<string, Camera>
  grant: string
  layout: Layout
  live: boolean
  selected: number
  select: (i: number) => void
  onFrame: (camera: string, at: number) => void
}

export function PatrolGrid({ cameras, known, grant, layout, live, selected, select, onFrame }: Props) {
  return (
    <div className={css.stage}>
      <div className={wall.grid} data-n={layout} data-testid="patrol-grid">
        {cameras.map(({ id, name }, i) => {
          const frame = {
            camera: id,
            known: known.get(id),
            name,
            number: layout > 1 ? i + 1 : undefined,
            selected: layout > 1 && selected === i,
            choose: () => select(i),
            onFrame,
          }
          return live ? (
            <LiveTile key={id} frame={frame} grant={grant} stream={layout === 1 ? 'main' : 'auto'} />
          ) : (
            <StillTile
              key={id}
              frame={frame}
              grant={grant}
              width={layout === 1 ? 1920 : layout === 4 ? 960 : 640}
            />
          )
        })}
      </div>
    </div>
  )
}
