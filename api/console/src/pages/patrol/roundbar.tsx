import { Button, Kbd } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { isSeen } from '../../lib/patrol'
import { Mark } from '../../ui/mark'
import { Dwell } from './dwell'
import css from './patrol.module.css'

interface Props {
  views: string[][]
  seen: Set<string>
  index: number
  total: number
  show: (index: number) => void
  left: number
  whole: number
  done: boolean
  allSeen: boolean
  busy: boolean
  say: () => void
  next: () => void
  note: () => void
  finish: () => void
}

/** Below the pictures: where the round stands, and the next step. */
export function RoundBar(props: Props) {
  const { t } = useTranslation()
  const { views, seen, index, done, allSeen } = props
  return (
    <div className={css.bar}>
      <div className={css.views}>
        {views.map((view, i) => (
          <button
            key={i}
            data-seen={isSeen(view, seen)}
            aria-current={i === index}
            aria-label={t('patrol.view', { i: i + 1, n: views.length })}
            title={t('patrol.view', { i: i + 1, n: views.length })}
            onClick={() => props.show(i)}
          />
        ))}
      </div>
      <span className="num" data-testid="patrol-progress" data-seen={seen.size} data-total={props.total}>
        {t('patrol.progress', { seen: seen.size, total: props.total })}
      </span>
      <span style={{ flex: 1 }} />
      {allSeen ? (
        <span className={css.done}>
          <Mark kind="recording" />
          {t('patrol.allSeen')}
        </span>
      ) : done ? (
        <span className={css.done}>
          <Mark kind="recording" />
          {t('patrol.seenDone')}
        </span>
      ) : (
        <Dwell left={props.left} whole={props.whole} />
      )}
      <Button
        variant="default"
        size="sm"
        onClick={props.note}
        rightSection={<Kbd size="xs">C</Kbd>}
        data-testid="patrol-finding"
      >
        {t('patrol.finding')}
      </Button>
      <Button
        size="sm"
        variant={done ? 'default' : 'filled'}
        disabled={done || props.left > 0}
        loading={props.busy}
        onClick={props.say}
        rightSection={<Kbd size="xs">S</Kbd>}
        data-testid="patrol-seen"
      >
        {t('patrol.seen')}
      </Button>
      {allSeen ? (
        <Button size="sm" onClick={props.finish} data-testid="patrol-finish">
          {t('patrol.end')}
        </Button>
      ) : (
        <Button
          size="sm"
          variant={done ? 'filled' : 'default'}
          onClick={props.next}
          rightSection={<Kbd size="xs">N</Kbd>}
          data-testid="patrol-next"
        >
          {t('patrol.next')}
        </Button>
      )}
    </div>
  )
}
