import { Button, MultiSelect, SegmentedControl, Select, TextInput, Textarea } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { serverNow } from '../api/http'
import { openGrant, useAct, useAlerts, useCameras, useCases, useRegions } from '../api/queries'
import type { GroundKind, Me } from '../api/types'
import { missing, requestOf, type Draft, type WindowChoice } from '../lib/groundform'
import { fieldInstant, fieldText, offsetText } from '../lib/time'
import { ZONE } from '../lib/zone'
import { GROUNDS_OF, byRegion, useGround, type GroundWish } from '../stores/ground'
import { useAlertTitle } from '../ui/alerttitle'
import { ProblemNote } from '../ui/notes'
import css from './ground.module.css'

interface Part {
  draft: Draft
  change: (change: Partial<Draft>) => void
  shown: string[]
}

function firstDraft(me: Me, wish: GroundWish): Draft {
  const kinds = GROUNDS_OF[me.account.role].filter(kind => kind !== 'patrol')
  return {
    kind: wish.kind ?? kinds.find(kind => kind !== 'alert') ?? kinds[0] ?? 'assistance',
    ref: wish.ref ?? '',
    reason: '',
    scope: 'cameras',
    cameras: wish.cameras ?? [],
    region: null,
    window: wish.from !== undefined && wish.to !== undefined ? 'custom' : 'live',
    from: wish.from ?? null,
    to: wish.to ?? null,
  }
}

export function GroundForm({ me, wish, done }: { me: Me; wish: GroundWish; done: () => void }) {
  const { t } = useTranslation()
  const add = useGround(s => s.add)
  const [draft, setDraft] = useState(() => firstDraft(me, wish))
  const [asked, setAsked] = useState(false)
  const open = useAct(openGrant)
  const change = (part: Partial<Draft>) => setDraft(d => ({ ...d, ...part }))
  const shown = asked ? missing(draft, serverNow()) : []
  const part = { draft, change, shown }

  const submit = () => {
    setAsked(true)
    const request = requestOf(draft, serverNow())
    if (!request) return
    open.mutate(request, {
      onSuccess: grant => {
        add(grant)
        done()
      },
    })
  }

  return (
    <section className={css.form}>
      <KindPart {...part} me={me} />
      {draft.kind === 'patrol' ? (
        <div className={css.foot}>
          <Button component={Link} to="/patrol" onClick={done}>
            {t('ground.goPatrol')}
          </Button>
        </div>
      ) : (
        <>
          <RefPart {...part} />
          <Textarea
            label={t('ground.reason')}
            description={t('ground.reasonHint')}
            error={shown.includes('reason') ? t('ground.reasonMissing') : undefined}
            value={draft.reason}
            onChange={e => change({ reason: e.currentTarget.value })}
            autosize
            minRows={2}
            maxLength={500}
            data-testid="ground-reason"
          />
          <ScopePart {...part} />
          <WindowPart {...part} />
          {open.error ? <ProblemNote error={open.error} /> : null}
          <div className={css.foot}>
            <Button variant="default" onClick={done}>
              {t('common.cancel')}
            </Button>
            <Button onClick={submit} loading={open.isPending} data-testid="ground-open">
              {t('ground.open')}
            </Button>
          </div>
        </>
      )}
    </section>
  )
}

function KindPart({ draft, change, me }: Part & { me: Me }) {
  const { t } = useTranslation()
  return (
    <div>
      <h3>{t('ground.fresh')}</h3>
      <SegmentedControl
        fullWidth
        value={draft.kind}
        onChange={kind => change({ kind: kind as GroundKind, ref: '', scope: 'cameras' })}
        data={GROUNDS_OF[me.account.role].map(kind => ({ value: kind, label: t(`ground.kinds.${kind}`) }))}
        aria-label={t('ground.kind')}
        data-testid="ground-kind"
      />
      <p className={css.hint}>
        {t(`ground.kindHint.${draft.kind}`)} {t(`ground.limits.${draft.kind}`)}
      </p>
    </div>
  )
}

function RefPart({ draft, change, shown }: Part) {
  const { t } = useTranslation()
  const cases = useCases(draft.kind === 'case')
  const alerts = useAlerts('open')
  const title = useAlertTitle()
  const label = t(`ground.refs.${draft.kind}`)
  const error = shown.includes('ref') ? t('ground.refMissing') : undefined
  if (draft.kind === 'case' || draft.kind === 'alert') {
    const data =
      draft.kind === 'case'
        ? (cases.data ?? []).map(c => ({ value: c.number, label: `${c.number} · ${c.title}` }))
        : (alerts.data ?? []).map(a => ({ value: a.id, label: title(a) }))
    return (
      <Select
        label={label}
        data={data}
        value={draft.ref || null}
        onChange={ref => {
          const alert = draft.kind === 'alert' ? alerts.data?.find(a => a.id === ref) : null
          change({ ref: ref ?? '', ...(alert?.camera ? { cameras: [alert.camera] } : {}) })
        }}
        error={error}
        searchable
        nothingFoundMessage={draft.kind === 'case' ? t('ground.noCases') : t('ground.noAlerts')}
        data-testid="ground-ref"
      />
    )
  }
  return (
    <TextInput
      label={label}
      value={draft.ref}
      onChange={e => change({ ref: e.currentTarget.value })}
      error={error}
      maxLength={64}
      data-testid="ground-ref"
    />
  )
}

function ScopePart({ draft, change, shown }: Part) {
  const { t } = useTranslation()
  const cameras = useCameras()
  const regions = useRegions()
  return (
    <div>
      <span className={css.label}>{t('ground.scope')}</span>
      {byRegion(draft.kind) ? (
        <SegmentedControl
          mb={8}
          value={draft.scope}
          onChange={scope => change({ scope: scope as Draft['scope'] })}
          data={[
            { value: 'cameras', label: t('ground.scopeCameras') },
            { value: 'region', label: t('ground.scopeRegion') },
          ]}
          data-testid="ground-scope"
        />
      ) : null}
      {draft.scope === 'cameras' ? (
        <MultiSelect
          aria-label={t('ground.scopeCameras')}
          data={(cameras.data ?? []).map(c => ({ value: c.id, label: c.name }))}
          value={draft.cameras}
          onChange={chosen => change({ cameras: chosen })}
          error={shown.includes('cameras') ? t('ground.camerasMissing') : undefined}
          searchable
          hidePickedOptions
          clearable
          limit={200}
          data-testid="ground-cameras"
        />
      ) : (
        <Select
          aria-label={t('ground.scopeRegion')}
          data={(regions.data ?? []).map(r => ({ value: r.id, label: r.name }))}
          value={draft.region}
          onChange={region => change({ region })}
          error={shown.includes('region') ? t('ground.regionMissing') : undefined}
          searchable
          data-testid="ground-region"
        />
      )}
    </div>
  )
}

const WINDOWS: WindowChoice[] = ['live', 'day', 'live2', 'custom']

function WindowPart({ draft, change, shown }: Part) {
  const { t } = useTranslation()
  const [now] = useState(serverNow)
  const field = (which: 'from' | 'to') => (
    <TextInput
      type="datetime-local"
      step={1}
      label={`${t(`ground.${which}`)} (${offsetText(draft[which] ?? now, ZONE)})`}
      value={draft[which] === null ? '' : fieldText(draft[which], ZONE)}
      onChange={e => change({ [which]: fieldInstant(e.currentTarget.value, ZONE) })}
      data-testid={`ground-${which}`}
    />
  )
  return (
    <div>
      <span className={css.label}>{t('ground.window')}</span>
      <SegmentedControl
        fullWidth
        value={draft.window}
        onChange={window =>
          change({ window: window as WindowChoice, from: draft.from ?? now - 3_600_000, to: draft.to ?? now })
        }
        data={WINDOWS.map(value => ({ value, label: t(`ground.windows.${value}`) }))}
        aria-label={t('ground.window')}
        data-testid="ground-window"
      />
      {draft.window === 'custom' ? (
        <div className={css.two} style={{ marginTop: 10 }}>
          {field('from')}
          {field('to')}
        </div>
      ) : null}
      {shown.includes('window') ? <p className={css.wrong}>{t('ground.windowWrong')}</p> : null}
    </div>
  )
}
