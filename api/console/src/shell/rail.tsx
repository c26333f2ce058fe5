import { useTranslation } from 'react-i18next'
import { NavLink } from 'react-router'
import { useAlerts } from '../api/queries'
import type { Me } from '../api/types'
import { pagesFor } from './pages'
import css from './shell.module.css'

export function Rail({ me }: { me: Me }) {
  const { t } = useTranslation()
  const alerts = useAlerts('open')
  const waiting = alerts.data?.filter(a => a.state === 'candidate').length ?? 0
  return (
    <nav className={css.rail} aria-label={t('app.name')}>
      <div className={css.logo}>
        <Logo />
      </div>
      {pagesFor(me).map(({ name, icon: Icon }) => (
        <NavLink key={name} to={`/${name}`} className={css.item ?? ''} data-testid={`nav-${name}`}>
          <Icon size={21} stroke={1.5} aria-hidden />
          {t(`nav.${name}`)}
          {name === 'desk' && waiting > 0 ? (
            <b className={css.count}>{waiting > 99 ? '99+' : waiting}</b>
          ) : null}
        </NavLink>
      ))}
    </nav>
  )
}

export function Logo({ size = 30 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden>
      <path
        d="M3.500 16 28.500 6.800v18.400z"
        fill="none"
        stroke="var(--accent)"
        strokeWidth="2.2"
        strokeLinejoin="round"
      />
      <circle cx="20.500" cy="16" r="3.300" fill="var(--recording)" />
    </svg>
  )
}
