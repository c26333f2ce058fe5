import { useTranslation } from 'react-i18next'
import { comparePlates } from '../../lib/plates'
import { Mark } from '../../ui/mark'
import css from './desk.module.css'

/** The plate as it was read over the plate on the list, each differing character marked. */
export function Plates({ read, listed, lookAlike }: { read: string; listed: string; lookAlike: boolean }) {
  const { t } = useTranslation()
  const chars = comparePlates(read, listed)
  const equal = chars.every(c => c.verdict === 'same')
  const row = (label: string, side: 'read' | 'listed') => (
    <div className={css.plateRow}>
      <span>{label}</span>
      <div className={css.chars} data-testid={`plate-${side}`}>
        {chars.map((c, i) => (
          <i key={i} data-verdict={c.verdict} title={c.verdict === 'same' ? undefined : t('desk.differs')}>
            {c[side] || '·'}
          </i>
        ))}
      </div>
    </div>
  )
  return (
    <div className={css.plates}>
      {row(t('desk.read'), 'read')}
      {row(t('desk.listed'), 'listed')}
      <p>
        <Mark kind={equal && !lookAlike ? 'recording' : 'stale'} />
        {equal && !lookAlike ? t('desk.equal') : t('desk.alike')}
      </p>
    </div>
  )
}
