import { Button } from '@mantine/core'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { useCameras } from '../../api/queries'
import type { PatrolReport } from '../../api/types'
import { lookedFor } from '../../lib/patrol'
import { lengthText } from '../../lib/time'
import { Bones, ProblemNote } from '../../ui/notes'
import { PageFrame, Push } from '../../ui/panel'
import { Stamp } from '../../ui/stamp'
import { useReport } from './queries'
import css from './patrol.module.css'

export function Report({ id }: { id: string }) {
  const { t } = useTranslation()
  const report = useReport(id)
  const tools = (
    <>
      <Push />
      {report.data && !report.data.patrol.ended_at ? (
        <Button component={Link} to={`/patrol/${id}`} variant="default">
          {t('patrol.resume')}
        </Button>
      ) : null}
      <Button component={Link} to="/patrol" data-testid="patrol-again">
        {t('patrol.again')}
      </Button>
    </>
  )
  return (
    <PageFrame title={t('patrol.report')} tools={tools}>
      {report.isPending ? <Bones /> : null}
      {report.error ? <ProblemNote error={report.error} retry={() => void report.refetch()} /> : null}
      {report.data ? <Sheet report={report.data} /> : null}
    </PageFrame>
  )
}

function Sheet({ report }: { report: PatrolReport }) {
  const { t } = useTranslation()
  const cameras = useCameras()
  const name = (id: string) => cameras.data?.find(c => c.id === id)?.name ?? id
  const missed = report.missed.map(m => (typeof m === 'string' ? name(m) : m.name))
  return (
    <div className={css.report} data-testid="patrol-report" data-seen={report.seen} data-total={report.total}>
      <div>
        <div className={css.figures}>
          <Figure label={t('patrol.coverage')}>{Math.floor(report.coverage * 100)}%</Figure>
          <Figure label={t('patrol.seenN')}>
            {report.seen} / {report.total}
          </Figure>
          <Figure label={t('patrol.missedN')}>{report.missed.length}</Figure>
          <Figure label={t('patrol.findingsN')}>{report.findings.length}</Figure>
        </div>
        <p className="muted">
          {t('patrol.startedAt')} <Stamp at={report.patrol.started_at} full /> · {t('patrol.endedAt')}{' '}
          {report.patrol.ended_at ? <Stamp at={report.patrol.ended_at} full /> : t('patrol.stillRunning')}
        </p>
        <h2>{t('patrol.missed')}</h2>
        <p>{missed.length > 0 ? missed.join(' · ') : t('patrol.missedNone')}</p>
        <h2>{t('patrol.findings')}</h2>
        {report.findings.length === 0 ? <p>{t('patrol.findingsNone')}</p> : null}
        {report.findings.length > 0 ? (
          <Table head={[t('common.camera'), t('common.time'), t('patrol.finding')]}>
            {report.findings.map(f => (
              <tr key={`${f.camera} ${f.at}`}>
                <td>{name(f.camera)}</td>
                <td>
                  <Stamp at={f.at} />
                </td>
                <td>{f.text}</td>
              </tr>
            ))}
          </Table>
        ) : null}
        <h2>{t('patrol.seenList')}</h2>
        <Table head={[t('common.camera'), t('patrol.seenAt'), t('patrol.shownFor'), t('patrol.frameAt')]}>
          {report.seen_list.map(s => (
            <tr key={s.camera}>
              <td>{name(s.camera)}</td>
              <td>
                <Stamp at={s.seen_at} />
              </td>
              <td className="num">{lengthText(lookedFor(s))}</td>
              <td>{s.frame_at ? <Stamp at={s.frame_at} /> : t('patrol.noFrame')}</td>
            </tr>
          ))}
        </Table>
      </div>
    </div>
  )
}

const Figure = ({ label, children }: { label: string; children: ReactNode }) => (
  <div>
    <b className="num">{children}</b>
    <span>{label}</span>
  </div>
)

const Table = ({ head, children }: { head: string[]; children: ReactNode }) => (
  <table>
    <thead>
      <tr>
        {head.map(h => (
          <th key={h}>{h}</th>
        ))}
      </tr>
    </thead>
    <tbody>{children}</tbody>
  </table>
)
