import { useTranslation } from 'react-i18next'
import type { Camera } from '../../api/types'
import type { GroundWish } from '../../stores/ground'
import { LiveTile, StillTile, TileBox, type TileFrameProps } from '../../tiles/tile'
import { NeedGround, useGrantFor } from '../../ui/ground'
import { serverNow } from '../../api/http'
import css from '../../tiles/tile.module.css'

interface Props extends Omit<TileFrameProps, 'name'> {
  large?: boolean
  wish: GroundWish
}

export function WallTile({ large = false, wish, ...rest }: Props) {
  const { t } = useTranslation()
  const find = useGrantFor()
  const frame: TileFrameProps = { ...rest, name: rest.known?.name ?? rest.camera }
  if (!rest.camera)
    return (
      <TileBox frame={frame}>
        <div className={`${css.tile} ${css.empty}`} style={{ flex: 1 }}>
          <b>{t('wall.emptyTile')}</b>
          <p>{t('wall.emptyTileHint')}</p>
        </div>
      </TileBox>
    )
  const { grant } = find(rest.camera, serverNow())
  if (!grant) return <NoGround frame={frame} known={rest.known} wish={wish} />
  // Maintenance proves a camera by single pictures: video needs another ground.
  if (grant.ground.kind === 'maintenance')
    return <StillTile frame={frame} grant={grant.id} width={large ? 1920 : 640} />
  return <LiveTile frame={frame} grant={grant.id} stream={large ? 'main' : 'auto'} />
}

function NoGround({
  frame,
  known,
  wish,
}: {
  frame: TileFrameProps
  known: Camera | undefined
  wish: GroundWish
}) {
  return (
    <TileBox frame={frame}>
      <div className={css.picture}>
        <div className={css.note}>
          <NeedGround camera={known} wish={wish} compact />
        </div>
      </div>
      <div className={css.strip}>
        {frame.number ? <span className={css.key}>{frame.number}</span> : null}
        <span className={`${css.name} cut`}>{frame.name}</span>
      </div>
    </TileBox>
  )
}
