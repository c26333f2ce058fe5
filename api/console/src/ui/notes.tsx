// Empty pages, problems and the shape of what is still coming.

import { Button } from '@mantine/core'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Problem } from '../api/http'
import css from './notes.module.css'
import { Mark } from './mark'

export function Empty(props: {
  icon?: ReactNode
  title: string
  text?: string | undefined
  children?: ReactNode
}) {
  return (
    <div className={css.empty}>
      {props.icon}
      <h2>{props.title}</h2>
      {props.text ? <p>{props.text}</p> : null}
      {props.children ? <div className={css.actions}>{props.children}</div> : null}
    </div>
  )
}

/** The words for a problem: ours where we have them in this language, then the gateway's own detail and way out. */
export function useProblemWords() {
  const { t, i18n } = useTranslation()
  return (error: unknown) => {
    const problem = error instanceof Problem ? error : null
    const key = `problems.${problem?.code ?? ''}`
    const known = problem && i18n.exists(key) ? t(key) : null
    const detail = problem?.message || (error instanceof Error && !problem ? error.message : '')
    const ours = `problems.remedies.${problem?.code ?? ''}`
    // Some problems are always the same: our words say all there is to say.
    if (known && i18n.exists(ours)) return { title: known, detail: null, remedy: t(ours) }
    const remedy = forPeople(problem?.remedy ?? null)
    const english = i18n.language !== 'zh'
    return {
      title: english && detail ? detail : (known ?? detail ?? t('problems.title')) || t('problems.title'),
      detail: english || !known ? null : detail || null,
      remedy,
    }
  }
}

/** Remedies that speak of requests are for programs. */
const forPeople = (remedy: string | null) =>
  remedy && /\b(GET|POST|DELETE|X-CSRF)\b/.test(remedy) ? null : remedy

export function ProblemNote({ error, retry }: { error: unknown; retry?: (() => void) | undefined }) {
  const { t } = useTranslation()
  const words = useProblemWords()(error)
  return (
    <div className={css.problem} role="alert" data-testid="problem">
      <Mark kind="stale" size={12} />
      <div>
        <p>{words.title}</p>
        {words.detail ? <p className={css.remedy}>{words.detail}</p> : null}
        {words.remedy ? <p className={css.remedy}>{words.remedy}</p> : null}
      </div>
      {retry ? (
        <Button variant="default" onClick={retry}>
          {t('common.retry')}
        </Button>
      ) : null}
    </div>
  )
}

export function Bones({ rows = 6, height = 18 }: { rows?: number; height?: number }) {
  const { t } = useTranslation()
  return (
    <div className={css.bones} role="status" aria-label={t('common.loading')}>
      {Array.from({ length: rows }, (_, i) => (
        <div key={i} className={css.bone} style={{ height, width: `${96 - ((i * 17) % 40)}%` }} />
      ))}
    </div>
  )
}
