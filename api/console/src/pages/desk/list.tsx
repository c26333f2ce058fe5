import { SegmentedControl } from '@mantine/core'
import { IconCircleCheck } from '@tabler/icons-react'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { useLink } from '../../api/events'
import type { Alert, Camera } from '../../api/types'
import { isClosed } from '../../lib/alerts'
import { useAlertTitle } from '../../ui/alerttitle'
import { Mark, markOfAlert } from '../../ui/mark'
import { Empty } from '../../ui/notes'
import { Stamp } from '../../ui/stamp'
import css from './desk.module.css'

interface Props {
  alerts: Alert[]
  cameras: Map<string, Camera>
  which: 'open' | 'all'
  setWhich: (which: 'open' | 'all') => void
  chosen: string | null
  choose: (id: string) => void
}

export function AlertList({ alerts, cameras, which, setWhich, chosen, choose }: Props) {
  const { t } = useTranslation()
  const scroll = useRef<HTMLDivElement>(null)
  // eslint-disable-next-line react-hooks/incompatible-library -- rows are cheap and not memoised
  const rows = useVirtualizer({
    count: alerts.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => 66,
    getItemKey: i => alerts[i]?.id ?? i,
    overscan: 6,
  })
  // The keys of the desk belong to the list from the first moment, wherever the click came from.
  useEffect(() => scroll.current?.focus(), [])
  const at = alerts.findIndex(a => a.id === chosen)
  useEffect(() => {
    if (at >= 0) rows.scrollToIndex(at)
    // eslint-disable-next-line react-hooks/exhaustive-deps -- only when another one is chosen
  }, [chosen])
  return (
    <aside className={css.list} aria-label={t('desk.title')}>
      <div style={{ padding: '10px 14px' }}>
        <SegmentedControl
          fullWidth
          value={which}
          onChange={value => setWhich(value as 'open' | 'all')}
          data={[
            { value: 'open', label: t('desk.open') },
            { value: 'all', label: t('desk.allStates') },
          ]}
          data-testid="desk-which"
        />
      </div>
      <div className={css.rows} ref={scroll} role="listbox" tabIndex={0} aria-label={t('desk.title')}>
        {alerts.length === 0 ? (
          <Empty
            icon={<IconCircleCheck size={28} stroke={1.4} />}
            title={t('desk.emptyTitle')}
            text={t('desk.emptyText')}
          />
        ) : (
          <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
            {rows.getVirtualItems().map(row => {
              const alert = alerts[row.index]
              return alert ? (
                <div
                  key={row.key}
                  ref={rows.measureElement}
                  data-index={row.index}
                  style={{ position: 'absolute', inset: '0 0 auto', transform: `translateY(${row.start}px)` }}
                >
                  <Row
                    alert={alert}
                    camera={cameras.get(alert.camera ?? '')}
                    chosen={alert.id === chosen}
                    choose={() => choose(alert.id)}
                  />
                </div>
              ) : null
            })}
          </div>
        )}
      </div>
    </aside>
  )
}

function Row({
  alert,
  camera,
  chosen,
  choose,
}: {
  alert: Alert
  camera: Camera | undefined
  chosen: boolean
  choose: () => void
}) {
  const { t } = useTranslation()
  const fresh = useLink(s => s.fresh.has(alert.id))
  const { source } = alert
  const title = useAlertTitle()(alert)
  return (
    <div
      className={css.row}
      role="option"
      tabIndex={-1}
      aria-selected={chosen}
      data-closed={isClosed(alert.state)}
      data-testid={`alert-${alert.id}`}
      data-state={alert.state}
      onClick={choose}
    >
      <Mark kind={markOfAlert[alert.state]} size={12} />
      <b className="cut" title={title}>
        {title}
      </b>
      {fresh ? <span className={css.fresh}>{t('desk.fresh')}</span> : <span />}
      <p>
        <span>{t(`desk.states.${alert.state}`)}</span>
        <span>{t(`desk.sources.${source.kind}`)}</span>
        {source.kind === 'alarm' && source.drill ? (
          <span className={css.drill}>{t('desk.drill')}</span>
        ) : null}
      </p>
      <p>
        <Stamp at={alert.occurred_at} />
        <span className="cut">{camera?.name ?? ''}</span>
      </p>
    </div>
  )
}
