import { Button } from '@mantine/core'
import { IconRoute } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { Link, useNavigate } from 'react-router'
import { usePlans, useRegions } from '../../api/queries'
import type { Plan } from '../../api/types'
import { useGround } from '../../stores/ground'
import { Bones, Empty, ProblemNote } from '../../ui/notes'
import { PageFrame } from '../../ui/panel'
import { Stamp } from '../../ui/stamp'
import { ByHand } from './byhand'
import { useRunning, useStart, type NewPatrol } from './queries'
import css from './patrol.module.css'

/** Pick a plan, or a view by hand; both start with one click. */
export function Start() {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const add = useGround(s => s.add)
  const plans = usePlans()
  const running = useRunning()
  const start = useStart()
  const begin = (body: NewPatrol) =>
    start.mutate(body, {
      onSuccess: ({ patrol, grant }) => {
        add(grant, false)
        void navigate(`/patrol/${patrol.id}`)
      },
    })
  return (
    <PageFrame title={t('patrol.title')}>
      <div className={css.start}>
        {start.error ? <ProblemNote error={start.error} /> : null}
        <div className={css.columns}>
          <div>
            {running.data && running.data.length > 0 ? (
              <>
                <h2>{t('patrol.running')}</h2>
                <div className={css.plans}>
                  {running.data.slice(0, 5).map(patrol => (
                    <div key={patrol.id} className={css.plan}>
                      <b>{plans.data?.find(p => p.id === patrol.plan)?.name ?? t('patrol.byHand')}</b>
                      <span>
                        {t('patrol.startedAt')} <Stamp at={patrol.started_at} /> ·{' '}
                        {t('common.nCameras', { n: patrol.cameras.length })}
                      </span>
                      <Button component={Link} to={`/patrol/${patrol.id}`} variant="default">
                        {t('patrol.resume')}
                      </Button>
                    </div>
                  ))}
                </div>
              </>
            ) : null}
            <h2>{t('patrol.plans')}</h2>
            {plans.isPending ? <Bones rows={3} height={44} /> : null}
            {plans.error ? <ProblemNote error={plans.error} retry={() => void plans.refetch()} /> : null}
            {plans.data?.length === 0 ? (
              <Empty
                icon={<IconRoute size={28} stroke={1.4} />}
                title={t('patrol.noPlansTitle')}
                text={t('patrol.noPlansText')}
              />
            ) : null}
            <div className={css.plans}>
              {plans.data?.map(plan => (
                <PlanCard
                  key={plan.id}
                  plan={plan}
                  busy={start.isPending}
                  begin={() => begin({ plan: plan.id })}
                />
              ))}
            </div>
          </div>
          <ByHand begin={begin} busy={start.isPending} />
        </div>
      </div>
    </PageFrame>
  )
}

function PlanCard({ plan, busy, begin }: { plan: Plan; busy: boolean; begin: () => void }) {
  const { t } = useTranslation()
  const regions = useRegions()
  const { selection } = plan
  const places = selection.regions.map(id => regions.data?.find(r => r.id === id)?.name ?? id)
  const what = [
    places.length > 0 ? places.join(', ') : t('common.everywhere'),
    ...(selection.cameras.length > 0 ? [t('common.nCameras', { n: selection.cameras.length })] : []),
    ...selection.tags,
    t('patrol.planLine', { tiles: plan.layout, dwell: plan.dwell_s }),
  ]
  return (
    <div className={css.plan} data-testid={`plan-${plan.id}`}>
      <b>{plan.name}</b>
      <span>{what.join(' · ')}</span>
      <Button onClick={begin} loading={busy} data-testid="patrol-start">
        {t('patrol.start')}
      </Button>
    </div>
  )
}
