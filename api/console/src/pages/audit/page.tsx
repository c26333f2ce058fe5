import { Button, Select } from '@mantine/core'
import { IconShieldCheck } from '@tabler/icons-react'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Fragment, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useSearchParams } from 'react-router'
import { get } from '../../api/http'
import { useCameras } from '../../api/queries'
import type { AuditEntry, AuditVerdict, Page } from '../../api/types'
import { en } from '../../i18n/en'
import { shortId } from '../../lib/ids'
import { clockText } from '../../lib/time'
import { ZONE } from '../../lib/zone'
import { useSession } from '../../stores/session'
import { Mark } from '../../ui/mark'
import { Bones, Empty, ProblemNote } from '../../ui/notes'
import { PageFrame, Push } from '../../ui/panel'
import { Stamp } from '../../ui/stamp'
import { DataTable, TableCss as css } from '../../ui/table'

const ACTIONS = Object.keys(en.audit.actions) as (keyof typeof en.audit.actions)[]

export default function AuditPage() {
  const { t } = useTranslation()
  const [params, setParams] = useSearchParams()
  const action = params.get('action')
  const verdict = useQuery({
    queryKey: ['audit-verify'],
    enabled: false,
    queryFn: () => get<AuditVerdict>('/audit/verify'),
  })
  const entries = useInfiniteQuery({
    queryKey: ['audit', action],
    initialPageParam: null as string | null,
    getNextPageParam: (page: Page<AuditEntry>) => page.next,
    queryFn: ({ pageParam }) =>
      get<Page<AuditEntry>>('/audit/entries', { cursor: pageParam, limit: 100, action }),
  })
  const list = entries.data?.pages.flatMap(p => p.items) ?? []
  const tools = (
    <>
      <Select
        w={240}
        data={[
          { value: '', label: t('audit.anyAction') },
          ...ACTIONS.map(a => ({ value: a, label: t(`audit.actions.${a}`) })),
        ]}
        value={action ?? ''}
        onChange={value => setParams(value ? { action: value } : {}, { replace: true })}
        aria-label={t('audit.action')}
        searchable
      />
      <Push />
      <Button onClick={() => void verdict.refetch()} loading={verdict.isFetching} data-testid="audit-verify">
        {t('audit.verify')}
      </Button>
    </>
  )
  return (
    <PageFrame title={t('audit.title')} tools={tools}>
      <div className={css.column}>
        {verdict.data ? <Verdict verdict={verdict.data} /> : null}
        {verdict.error ? <ProblemNote error={verdict.error} /> : null}
        {entries.isPending ? <Bones rows={14} /> : null}
        {entries.error ? <ProblemNote error={entries.error} retry={() => void entries.refetch()} /> : null}
        {entries.data && list.length === 0 ? (
          <Empty
            icon={<IconShieldCheck size={30} stroke={1.4} />}
            title={t('audit.emptyTitle')}
            text={t('audit.emptyText')}
          />
        ) : null}
        {list.length > 0 ? (
          <Entries
            list={list}
            more={entries.hasNextPage ? () => void entries.fetchNextPage() : null}
            busy={entries.isFetchingNextPage}
          />
        ) : null}
      </div>
    </PageFrame>
  )
}

function Verdict({ verdict }: { verdict: AuditVerdict }) {
  const { t } = useTranslation()
  return (
    <div className={css.verdict} role="status" data-testid="audit-verdict" data-ok={verdict.ok}>
      <Mark kind={verdict.ok ? 'recording' : 'alarm'} size={13} />
      <div>
        <p>
          <b>{verdict.ok ? t('audit.okTitle') : t('audit.badTitle')}</b>
        </p>
        <p className="muted">
          {verdict.ok
            ? t('audit.okText', { n: verdict.entries, head: verdict.head ?? '' })
            : (verdict.broken ?? '')}
        </p>
        {verdict.ok ? null : <p className="muted">{t('audit.badText')}</p>}
      </div>
    </div>
  )
}

function Entries({ list, more, busy }: { list: AuditEntry[]; more: (() => void) | null; busy: boolean }) {
  const { t } = useTranslation()
  const [open, setOpen] = useState<number | null>(null)
  const head = [
    t('audit.seq'),
    t('common.time'),
    t('audit.who'),
    t('audit.action'),
    t('audit.ground'),
    t('common.camera'),
    t('audit.window'),
    t('audit.detail'),
  ]
  return (
    <DataTable head={head} testid="audit-table">
      {list.map(entry => (
        <Fragment key={entry.seq}>
          <Row entry={entry} toggle={() => setOpen(open === entry.seq ? null : entry.seq)} />
          {open === entry.seq ? <Hashes entry={entry} columns={head.length} /> : null}
        </Fragment>
      ))}
      {more ? (
        <tr>
          <td colSpan={head.length}>
            <div className={css.foot}>
              <Button variant="default" onClick={more} loading={busy}>
                {t('audit.more')}
              </Button>
            </div>
          </td>
        </tr>
      ) : null}
    </DataTable>
  )
}

function Row({ entry, toggle }: { entry: AuditEntry; toggle: () => void }) {
  const { t } = useTranslation()
  const cameras = useCameras()
  const me = useSession(s => s.me)
  const refused = entry.action === 'look_refused' || entry.action === 'sign_in_refused'
  const camera = entry.camera ? (cameras.data?.find(c => c.id === entry.camera)?.name ?? entry.camera) : ''
  return (
    <tr onClick={toggle} style={{ cursor: 'pointer' }}>
      <td className="num muted">{entry.seq}</td>
      <td>
        <Stamp at={entry.at} />
      </td>
      <td className="mono">
        {entry.account === me?.account.id ? me?.account.name : shortId(entry.account ?? '')}
      </td>
      <td>
        <span className={css.cell}>
          {refused ? <Mark kind="stale" size={10} /> : null}
          {t(`audit.actions.${entry.action}`, entry.action)}
        </span>
      </td>
      <td className="cut" style={{ maxWidth: 200 }}>
        {entry.ground ? `${t(`ground.kinds.${entry.ground.kind}`)} ${shortId(entry.ground.ref)}` : ''}
      </td>
      <td className="cut" style={{ maxWidth: 190 }} title={camera}>
        {camera}
      </td>
      <td className="num">{entry.range ? <Window range={entry.range} /> : null}</td>
      <td style={{ overflowWrap: 'anywhere' }}>{entry.detail}</td>
    </tr>
  )
}

/** From when to when; the day only where it is not today. */
function Window({ range }: { range: { from: string; to: string } }) {
  return (
    <>
      <Stamp at={range.from} /> – {clockText(Date.parse(range.to), ZONE)}
    </>
  )
}

function Hashes({ entry, columns }: { entry: AuditEntry; columns: number }) {
  const { t } = useTranslation()
  return (
    <tr className={css.expanded}>
      <td colSpan={columns}>
        <dl className={`${css.hashes} mono`}>
          <dt>{t('audit.hash')}</dt>
          <dd>{entry.hash}</dd>
          <dt>{t('audit.prevHash')}</dt>
          <dd>{entry.prev_hash}</dd>
          <dt>{t('audit.who')}</dt>
          <dd>{entry.account ?? '–'}</dd>
          <dt>{t('audit.grant')}</dt>
          <dd>{entry.grant ?? '–'}</dd>
        </dl>
      </td>
    </tr>
  )
}
