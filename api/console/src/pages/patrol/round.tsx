import { Button, SegmentedControl } from '@mantine/core'
import { IconShieldOff } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, Navigate, useNavigate, useSearchParams } from 'react-router'
import { useCameras } from '../../api/queries'
import type { PatrolReport } from '../../api/types'
import { isSeen, nextUnseen, seenSet, viewsOf } from '../../lib/patrol'
import { useGround } from '../../stores/ground'
import { askFirst } from '../../ui/confirm'
import { usePageGround } from '../../ui/ground'
import { useKeys } from '../../ui/hooks'
import { Bones, Empty, ProblemNote } from '../../ui/notes'
import { PageFrame, Push } from '../../ui/panel'
import { FindingDialog } from './finding'
import { RoundBar } from './roundbar'
import { PatrolGrid } from './grid'
import { useEnd, useReport, useSeen } from './queries'
import { useDwell } from './usedwell'
import css from './patrol.module.css'

export function Round({ id }: { id: string }) {
  const report = useReport(id)
  if (report.isPending) return <Bones />
  if (report.error) return <ProblemNote error={report.error} retry={() => void report.refetch()} />
  if (report.data.patrol.ended_at) return <Navigate to={`/patrol/${id}/report`} replace />
  return <Running report={report.data} />
}

function Running({ report }: { report: PatrolReport }) {
  const { t } = useTranslation()
  const { patrol } = report
  const navigate = useNavigate()
  const [params, setParams] = useSearchParams()
  const [live, setLive] = useState(false)
  const [selected, setSelected] = useState(0)
  const [noting, setNoting] = useState(false)
  const [ending, setEnding] = useState(false)
  const drop = useGround(s => s.drop)
  const cameras = useCameras()
  const grant =
    useGround(s => s.grants).find(g => g.ground.kind === 'patrol' && g.ground.ref === patrol.id) ?? null
  usePageGround(grant?.id ?? null)

  const views = viewsOf(patrol.cameras, patrol.layout)
  const seen = seenSet(report)
  const asked = params.get('view')
  const index =
    asked === null
      ? (nextUnseen(views, seen, -1) ?? 0)
      : Math.max(0, Math.min(views.length - 1, Number(asked) - 1))
  const view = views[index] ?? []
  const done = isSeen(view, seen)
  const allSeen = nextUnseen(views, seen, index) === null
  const dwell = useDwell(`${patrol.id} ${index}`, patrol.dwell_s)
  const markSeen = useSeen(patrol.id)
  const end = useEnd(patrol.id)
  const known = new Map(cameras.data?.map(c => [c.id, c]))
  const named = view.map(c => ({ id: c, name: known.get(c)?.name ?? c }))

  const show = (to: number) => setParams({ view: String(to + 1) }, { replace: true })
  // The view being shown stands in the address, so that it stays when what is seen changes.
  useEffect(() => {
    if (asked === null) setParams({ view: String(index + 1) }, { replace: true })
  }, [asked, index, setParams])
  const next = () => show(nextUnseen(views, seen, index) ?? (index + 1) % views.length)
  const say = () => {
    if (done || dwell.left > 0 || markSeen.isPending) return
    markSeen.mutate(dwell.claims(view))
  }
  const finish = () => {
    // The ground ends with the patrol: the pictures stop first, so that none is asked for without one.
    setEnding(true)
    end.mutate(undefined, {
      onSuccess: () => {
        if (grant) drop(grant.id)
        void navigate(`/patrol/${patrol.id}/report`)
      },
      onError: () => setEnding(false),
    })
  }
  const endAsked = () =>
    allSeen
      ? finish()
      : askFirst({
          text: t('patrol.endAsk', { seen: seen.size, total: report.total }),
          action: t('patrol.end'),
          act: finish,
        })
  const digits = Object.fromEntries(view.map((_, i) => [String(i + 1), () => setSelected(i)]))
  useKeys({ ...digits, n: next, s: say, c: () => setNoting(true) })

  const tools = (
    <>
      <span className="num">{t('patrol.view', { i: index + 1, n: views.length })}</span>
      <Push />
      <SegmentedControl
        value={live ? 'live' : 'stills'}
        onChange={value => setLive(value === 'live')}
        data={[
          { value: 'stills', label: t('patrol.showStills') },
          { value: 'live', label: t('patrol.showLive') },
        ]}
      />
      <Button variant="default" onClick={endAsked} loading={end.isPending} data-testid="patrol-end">
        {t('patrol.end')}
      </Button>
    </>
  )
  if (ending)
    return (
      <PageFrame title={t('patrol.title')} tools={tools}>
        <Bones />
      </PageFrame>
    )
  if (!grant)
    return (
      <PageFrame title={t('patrol.title')} tools={tools}>
        <div className={css.column}>
          <Empty
            icon={<IconShieldOff size={30} stroke={1.4} />}
            title={t('ground.none')}
            text={t('patrol.noGrant')}
          >
            <Button component={Link} to="/patrol">
              {t('patrol.again')}
            </Button>
          </Empty>
        </div>
      </PageFrame>
    )
  const trouble = markSeen.error ?? end.error
  return (
    <PageFrame title={t('patrol.title')} tools={tools}>
      <div className={css.column}>
        <PatrolGrid
          key={index}
          cameras={named}
          known={known}
          grant={grant.id}
          layout={patrol.layout}
          live={live}
          selected={selected}
          select={setSelected}
          onFrame={dwell.onFrame}
        />
        {trouble ? <ProblemNote error={trouble} /> : null}
        <RoundBar
          views={views}
          seen={seen}
          index={index}
          total={report.total}
          show={show}
          left={dwell.left}
          whole={patrol.dwell_s * 1000}
          done={done}
          allSeen={allSeen}
          busy={markSeen.isPending}
          say={say}
          next={next}
          note={() => setNoting(true)}
          finish={finish}
        />
      </div>
      {noting ? (
        <FindingDialog
          patrol={patrol.id}
          cameras={named}
          first={view[selected] ?? null}
          close={() => setNoting(false)}
        />
      ) : null}
    </PageFrame>
  )
}
