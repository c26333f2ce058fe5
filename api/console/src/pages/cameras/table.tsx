import { useVirtualizer } from '@tanstack/react-virtual'
import { useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { serverNow } from '../../api/http'
import type { Camera } from '../../api/types'
import { Mark, conditionOf, markOfCondition } from '../../ui/mark'
import { Stamp } from '../../ui/stamp'
import css from './cameras.module.css'

interface Props {
  cameras: Camera[]
  regionName: (id: string) => string
  chosen: string | null
  choose: (id: string) => void
}

/** The table: one row a camera, only those in view in the page. */
export function CameraTable({ cameras, regionName, chosen, choose }: Props) {
  const { t } = useTranslation()
  const scroll = useRef<HTMLDivElement>(null)
  // eslint-disable-next-line react-hooks/incompatible-library -- rows are cheap and not memoised
  const rows = useVirtualizer({
    count: cameras.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => 38,
    overscan: 12,
  })
  return (
    <div
      className={`${css.column} ${chosen ? css.narrow : ''}`}
      role="table"
      aria-label={t('cameras.title')}
      aria-rowcount={cameras.length}
    >
      <div className={css.head} role="row">
        <span role="columnheader">{t('cameras.name')}</span>
        <span role="columnheader">{t('cameras.id')}</span>
        <span role="columnheader" className={css.wide}>
          {t('cameras.region')}
        </span>
        <span role="columnheader" className={css.wide}>
          {t('cameras.kind')}
        </span>
        <span role="columnheader">{t('cameras.state')}</span>
        <span role="columnheader">{t('cameras.why')}</span>
        <span role="columnheader">{t('cameras.lastGop')}</span>
        <span role="columnheader" className={css.wide}>
          {t('cameras.policy')}
        </span>
      </div>
      <div className={css.rows} ref={scroll} role="rowgroup">
        <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
          {rows.getVirtualItems().map(row => {
            const camera = cameras[row.index]
            return camera ? (
              <Row
                key={camera.id}
                top={row.start}
                camera={camera}
                region={regionName(camera.region)}
                chosen={camera.id === chosen}
                choose={() => choose(camera.id)}
              />
            ) : null
          })}
        </div>
      </div>
    </div>
  )
}

interface RowProps {
  camera: Camera
  region: string
  top: number
  chosen: boolean
  choose: () => void
}

function Row({ camera, region, top, chosen, choose }: RowProps) {
  const { t } = useTranslation()
  const condition = conditionOf(camera, serverNow())
  const { reason } = camera.state
  return (
    <div
      className={css.row}
      style={{ transform: `translateY(${top}px)` }}
      role="row"
      tabIndex={0}
      data-chosen={chosen}
      data-trouble={condition === 'down'}
      data-testid={`camera-${camera.id}`}
      data-condition={condition}
      onClick={choose}
      onKeyDown={event => event.key === 'Enter' && choose()}
    >
      <b role="cell" title={camera.name}>
        {camera.name}
      </b>
      <span role="cell" className="mono muted">
        {camera.id}
      </span>
      <span role="cell" className={css.wide}>
        {region}
      </span>
      <span role="cell" className={css.wide}>
        {t(`cameras.kinds.${camera.kind}`)}
      </span>
      <span role="cell" className={css.stateCell}>
        <Mark kind={markOfCondition[condition]} />
        {t(`states.${condition}`)}
      </span>
      <span role="cell" className={css.why}>
        {reason && condition !== 'off' ? t(`reasons.${reason}`) : ''}
      </span>
      <span role="cell">
        <Stamp at={camera.state.last_gop_at} />
      </span>
      <span role="cell" className={css.wide}>
        {t(`states.${camera.policy}`)}
      </span>
    </div>
  )
}
