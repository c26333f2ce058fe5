import { Button } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconListSearch } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { send, serverNow } from '../../api/http'
import { keys, useAct, useHotlist, useRight } from '../../api/queries'
import type { HotlistEntry } from '../../api/types'
import { useSession } from '../../stores/session'
import { askFirst } from '../../ui/confirm'
import { Mark, type MarkKind } from '../../ui/mark'
import { Bones, Empty, ProblemNote } from '../../ui/notes'
import { Stamp } from '../../ui/stamp'
import { DataTable, TableCss as css } from '../../ui/table'
import { Propose } from './propose'
import { standing, type Standing } from './standing'

const MARKS: Record<Standing, MarkKind> = {
  waiting: 'candidate',
  active: 'recording',
  over: 'neutral',
  withdrawn: 'neutral',
}

export function Hotlist() {
  const { t } = useTranslation()
  const list = useHotlist()
  const mayPropose = useRight('propose_hotlist')
  const [proposing, setProposing] = useState(false)
  const approve = useAct((e: HotlistEntry) => send('POST', `/hotlist/${e.id}/approve`), [keys.hotlist])
  const withdraw = useAct((e: HotlistEntry) => send('DELETE', `/hotlist/${e.id}`), [keys.hotlist])
  const trouble = approve.error ?? withdraw.error
  const labels = [
    t('vehicles.plate'),
    t('common.state'),
    t('vehicles.reason'),
    t('vehicles.case'),
    t('vehicles.validTo'),
    '',
  ]
  return (
    <div className={css.column}>
      {mayPropose ? (
        <div className={css.form}>
          <Button onClick={() => setProposing(true)} data-testid="hotlist-propose">
            {t('vehicles.propose')}
          </Button>
        </div>
      ) : null}
      {trouble ? <ProblemNote error={trouble} /> : null}
      {list.isPending ? <Bones /> : null}
      {list.error ? <ProblemNote error={list.error} retry={() => void list.refetch()} /> : null}
      {list.data?.length === 0 ? (
        <Empty
          icon={<IconListSearch size={30} stroke={1.4} />}
          title={t('vehicles.hotlistEmptyTitle')}
          text={t('vehicles.hotlistEmptyText')}
        />
      ) : null}
      {list.data && list.data.length > 0 ? (
        <DataTable head={labels} testid="hotlist-table">
          {list.data.map(entry => (
            <Row
              key={entry.id}
              entry={entry}
              approve={() =>
                approve.mutate(entry, {
                  onSuccess: () =>
                    notifications.show({ message: t('vehicles.approved', { plate: entry.plate }) }),
                })
              }
              withdraw={() =>
                askFirst({
                  text: t('vehicles.withdrawAsk', { plate: entry.plate }),
                  action: t('vehicles.withdraw'),
                  act: () =>
                    withdraw.mutate(entry, {
                      onSuccess: () =>
                        notifications.show({ message: t('vehicles.withdrawn', { plate: entry.plate }) }),
                    }),
                })
              }
            />
          ))}
        </DataTable>
      ) : null}
      {proposing ? <Propose close={() => setProposing(false)} /> : null}
    </div>
  )
}

function Row({
  entry,
  approve,
  withdraw,
}: {
  entry: HotlistEntry
  approve: () => void
  withdraw: () => void
}) {
  const { t } = useTranslation()
  const me = useSession(s => s.me)
  const mayApprove = useRight('approve_hotlist')
  const mayPropose = useRight('propose_hotlist')
  const state = standing(entry, serverNow())
  const own = entry.author === me?.account.id
  const open = state === 'waiting' || state === 'active'
  return (
    <tr data-testid={`hotlist-${entry.id}`}>
      <td>
        <b className="plate">{entry.plate}</b>
      </td>
      <td>
        <span className={css.cell}>
          <Mark kind={MARKS[state]} />
          {t(`vehicles.states.${state}`)}
        </span>
      </td>
      <td>{t(`desk.hotlistReasons.${entry.reason}`, entry.reason)}</td>
      <td>{entry.case}</td>
      <td>
        <Stamp at={entry.valid_to} />
      </td>
      <td>
        <span className={css.cell}>
          {state === 'waiting' && mayApprove ? (
            <Button
              onClick={approve}
              disabled={own}
              title={own ? t('vehicles.own') : undefined}
              data-testid="hotlist-approve"
            >
              {t('vehicles.approve')}
            </Button>
          ) : null}
          {open && (mayApprove || (mayPropose && own)) ? (
            <Button variant="default" onClick={withdraw}>
              {t('vehicles.withdraw')}
            </Button>
          ) : null}
        </span>
      </td>
    </tr>
  )
}
