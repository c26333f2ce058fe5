import { IconBell } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate, useParams } from 'react-router'
import { seenHere } from '../../api/events'
import { keys, useAlerts, useCameras, useRegions } from '../../api/queries'
import type { Alert } from '../../api/types'
import { compareAlerts, isClosed, mergeAlert, neighbour } from '../../lib/alerts'
import { dropGround } from '../../stores/ground'
import { Bones, Empty, ProblemNote } from '../../ui/notes'
import { useKeys } from '../../ui/hooks'
import { Detail } from './detail'
import { AlertList } from './list'
import { frame } from '../../ui/panel'

export default function DeskPage() {
  const { t } = useTranslation()
  const { id } = useParams()
  const navigate = useNavigate()
  const client = useQueryClient()
  const [which, setWhich] = useState<'open' | 'all'>('open')
  const alerts = useAlerts(which)
  const cameras = useCameras()
  const regions = useRegions()
  const known = useMemo(() => new Map(cameras.data?.map(c => [c.id, c])), [cameras.data])
  const list = useMemo(() => [...(alerts.data ?? [])].sort(compareAlerts), [alerts.data])
  const chosen = list.find(a => a.id === id) ?? null

  const choose = (next: string | null) => void navigate(next ? `/desk/${next}` : '/desk', { replace: true })
  // Nothing chosen yet, or what was chosen has gone: the first one that needs a person. A new one never takes the place
  // of the one being worked.
  const first = list[0]?.id ?? null
  useEffect(() => {
    if (!chosen && first && !alerts.isPending) void navigate(`/desk/${first}`, { replace: true })
  }, [chosen, first, navigate, alerts.isPending])
  useEffect(() => {
    if (id) seenHere(id)
  }, [id])

  const moved = (alert: Alert) => {
    // With the alert its ground is closed.
    if (isClosed(alert.state)) dropGround('alert', alert.id)
    const next = isClosed(alert.state) && which === 'open' ? neighbour(list, alert.id) : alert.id
    for (const state of ['open', 'all'] as const)
      client.setQueryData<Alert[]>(keys.alerts(state), old =>
        old ? mergeAlert(old, alert, state === 'open').list : old,
      )
    choose(next)
  }
  useKeys({
    ArrowDown: () => choose(step(list, id, 1)),
    ArrowUp: () => choose(step(list, id, -1)),
  })

  if (alerts.isPending) return <Bones rows={9} height={40} />
  if (alerts.error) return <ProblemNote error={alerts.error} retry={() => void alerts.refetch()} />
  return (
    <section className={frame.body} style={{ height: '100%' }} aria-label={t('desk.title')}>
      <AlertList
        alerts={list}
        cameras={known}
        which={which}
        setWhich={setWhich}
        chosen={chosen?.id ?? null}
        choose={choose}
      />
      {chosen ? (
        <Detail
          key={chosen.id}
          alert={chosen}
          camera={known.get(chosen.camera ?? '')}
          regions={regions.data ?? []}
          moved={moved}
        />
      ) : (
        <div className={frame.main}>
          <Empty
            icon={<IconBell size={30} stroke={1.4} />}
            title={list.length > 0 ? t('desk.chooseTitle') : t('desk.emptyTitle')}
            text={t('desk.emptyText')}
          />
        </div>
      )}
    </section>
  )
}

function step(list: Alert[], id: string | undefined, by: 1 | -1): string | null {
  const at = list.findIndex(a => a.id === id)
  const next = list[Math.max(0, Math.min(list.length - 1, at + by))]
  return next?.id ?? null
}
