// The steps a person takes. Confirming is one key; dismissing asks why first.

import { Button, Chip, Kbd, Textarea } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Problem } from '../../api/http'
import { moveAlert, useAct, useRight } from '../../api/queries'
import type { Alert, AlertStep } from '../../api/types'
import { stepsFrom } from '../../lib/alerts'
import { keyLabel } from '../../lib/keys'
import { useKeys } from '../../ui/hooks'
import { ProblemNote } from '../../ui/notes'
import css from './desk.module.css'

const KEYS: Partial<Record<AlertStep, string>> = { confirm: 'Enter', dismiss: 'Backspace' }

export function Acts({ alert, moved }: { alert: Alert; moved: (alert: Alert) => void }) {
  const { t } = useTranslation()
  const may = useRight('work_alerts')
  const [asking, setAsking] = useState<AlertStep | null>(null)
  const move = useAct(moveAlert)
  const steps = may ? stepsFrom(alert.state) : []

  const go = (step: AlertStep, note: string) =>
    move.mutate(
      { alert, step, note },
      {
        onSuccess: next => {
          setAsking(null)
          moved(next)
        },
        // Somebody else was faster: the stream of changes brings the newest state.
        onError: error => error instanceof Problem && error.status === 409 && setAsking(null),
      },
    )
  const begin = (step: AlertStep) => {
    if (!steps.includes(step) || move.isPending) return false
    if (step === 'confirm') go(step, '')
    else setAsking(step)
    return true
  }
  useKeys({
    Enter: () => begin('confirm'),
    Backspace: () => begin('dismiss'),
    Escape: () => (asking ? setAsking(null) : false),
  })

  if (steps.length === 0) return null
  const conflict = move.error instanceof Problem && move.error.status === 409
  return (
    <div className={css.acts}>
      {conflict ? <p>{t('desk.conflict')}</p> : move.error ? <ProblemNote error={move.error} /> : null}
      {asking ? (
        <Why
          step={asking}
          busy={move.isPending}
          cancel={() => setAsking(null)}
          go={note => go(asking, note)}
        />
      ) : (
        <>
          {alert.state === 'candidate' ? <p>{t('desk.compare')}</p> : null}
          <div className={css.buttons}>
            {steps.map((step, i) => (
              <Button
                key={step}
                size="sm"
                variant={i === 0 ? 'filled' : 'default'}
                onClick={() => begin(step)}
                loading={move.isPending}
                rightSection={KEYS[step] ? <Kbd size="xs">{keyLabel(KEYS[step])}</Kbd> : null}
                data-testid={`alert-${step}`}
              >
                {t(`desk.steps.${step}`)}
              </Button>
            ))}
          </div>
        </>
      )}
    </div>
  )
}

function Why({
  step,
  busy,
  cancel,
  go,
}: {
  step: AlertStep
  busy: boolean
  cancel: () => void
  go: (note: string) => void
}) {
  const { t } = useTranslation()
  const [note, setNote] = useState('')
  const [asked, setAsked] = useState(false)
  const needed = step === 'dismiss'
  const label = needed
    ? t('desk.whyDismiss')
    : step === 'dispatch'
      ? t('desk.noteDispatch')
      : t('desk.noteResolve')
  const quick = needed ? (t('desk.whyQuick', { returnObjects: true }) as unknown as string[]) : []
  const send = () => {
    setAsked(true)
    if (!needed || note.trim()) go(note.trim())
  }
  return (
    <div className={css.why}>
      {quick.length > 0 ? (
        <div className={css.quick}>
          {quick.map(words => (
            <Chip key={words} size="xs" checked={note === words} onChange={() => setNote(words)}>
              {words}
            </Chip>
          ))}
        </div>
      ) : null}
      <Textarea
        label={label}
        value={note}
        onChange={e => setNote(e.currentTarget.value)}
        placeholder={needed ? t('desk.whyPlaceholder') : t('desk.notePlaceholder')}
        error={asked && needed && !note.trim() ? t('desk.whyMissing') : undefined}
        autoFocus
        autosize
        minRows={2}
        maxLength={500}
        onKeyDown={event => {
          if (event.key === 'Enter' && !event.shiftKey) {
            event.preventDefault()
            send()
          }
          if (event.key === 'Escape') cancel()
        }}
        data-testid="alert-why"
      />
      <div className={css.buttons}>
        <Button variant="default" onClick={cancel}>
          {t('common.cancel')}
        </Button>
        <Button onClick={send} loading={busy} data-testid={`alert-${step}-go`}>
          {t(`desk.steps.${step}`)}
        </Button>
      </div>
    </div>
  )
}
