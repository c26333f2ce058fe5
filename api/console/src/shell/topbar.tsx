import { Menu, Select, Tooltip, useMantineColorScheme } from '@mantine/core'
import {
  IconChevronDown,
  IconKeyboard,
  IconLanguage,
  IconLogout,
  IconMoon,
  IconSun,
  IconWifiOff,
} from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { useLink } from '../api/events'
import { useAlerts, useRegions } from '../api/queries'
import type { Me } from '../api/types'
import { LANGUAGES, type Language } from '../i18n'
import { clockText, dateText, fullText, offsetText } from '../lib/time'
import { ZONE } from '../lib/zone'
import { usePrefs } from '../stores/prefs'
import { useSession } from '../stores/session'
import { useNow } from '../ui/hooks'
import { Mark } from '../ui/mark'
import { GroundChip } from './groundchip'
import css from './shell.module.css'

export function TopBar({ me, showKeys }: { me: Me; showKeys: () => void }) {
  return (
    <header className={css.top}>
      {me.rights.includes('see_cameras') ? <RegionPicker /> : null}
      <Clock />
      <span className={css.push} />
      <Interrupted />
      <GroundChip me={me} />
      {me.rights.includes('work_alerts') ? <OpenAlarms /> : null}
      <LanguageMenu />
      <AccountMenu me={me} showKeys={showKeys} />
    </header>
  )
}

function RegionPicker() {
  const { t } = useTranslation()
  const regions = useRegions()
  const { region, setRegion } = usePrefs()
  return (
    <Select
      w={170}
      aria-label={t('common.region')}
      data-testid="region"
      data={[
        { value: '', label: t('top.allRegions') },
        ...(regions.data ?? []).map(r => ({ value: r.id, label: r.name })),
      ]}
      value={region ?? ''}
      onChange={value => setRegion(value || null)}
      searchable
    />
  )
}

function Clock() {
  const now = useNow(500)
  return (
    <time className={css.clock} dateTime={new Date(now).toISOString()}>
      <b className="num">{clockText(now, ZONE)}</b>
      <span className="num">{offsetText(now, ZONE)}</span>
      <span className="num">{dateText(now, ZONE)}</span>
    </time>
  )
}

function Interrupted() {
  const { t } = useTranslation()
  const lostAt = useLink(s => s.lostAt)
  const now = useNow()
  if (lostAt === null || now - lostAt < 4000) return null
  return (
    <span className={css.lost} role="status">
      <IconWifiOff size={15} stroke={1.7} />
      {t('top.linkLost', { time: clockText(lostAt, ZONE) })}
    </span>
  )
}

function OpenAlarms() {
  const { t } = useTranslation()
  const alerts = useAlerts('open')
  const count = alerts.data?.length ?? 0
  return (
    <Tooltip label={t('top.openAlarms')}>
      <Link
        className={css.alarms}
        data-none={count === 0}
        to="/desk"
        aria-label={t('top.openAlarmsN', { n: count })}
        data-testid="open-alarms"
      >
        <Mark kind={count > 0 ? 'alarm' : 'neutral'} />
        <span className="num">{count}</span>
      </Link>
    </Tooltip>
  )
}

function LanguageMenu() {
  const { t, i18n } = useTranslation()
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <button className={css.account} aria-label={t('top.language')} data-testid="language">
          <IconLanguage size={16} stroke={1.6} aria-hidden />
          {LANGUAGES[i18n.language as Language]}
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        {(Object.keys(LANGUAGES) as Language[]).map(language => (
          <Menu.Item
            key={language}
            onClick={() => void i18n.changeLanguage(language)}
            data-testid={`language-${language}`}
          >
            {LANGUAGES[language]}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}

function AccountMenu({ me, showKeys }: { me: Me; showKeys: () => void }) {
  const { t } = useTranslation()
  const signOut = useSession(s => s.signOut)
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const dark = colorScheme !== 'light'
  return (
    <Menu position="bottom-end" width={230}>
      <Menu.Target>
        <button className={css.account} aria-label={t('top.account')} data-testid="account">
          {me.account.name}
          <span>{t(`roles.${me.account.role}`)}</span>
          <IconChevronDown size={14} stroke={1.7} aria-hidden />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {t('top.unit', { unit: me.account.unit })}
          <br />
          {t('top.signedInUntil', { time: fullText(Date.parse(me.expires_at), ZONE) })}
        </Menu.Label>
        <Menu.Item
          leftSection={dark ? <IconSun size={16} stroke={1.6} /> : <IconMoon size={16} stroke={1.6} />}
          onClick={() => setColorScheme(dark ? 'light' : 'dark')}
          data-testid="theme"
        >
          {t('top.theme')}: {dark ? t('top.light') : t('top.dark')}
        </Menu.Item>
        <Menu.Item leftSection={<IconKeyboard size={16} stroke={1.6} />} rightSection="?" onClick={showKeys}>
          {t('top.keys')}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item
          leftSection={<IconLogout size={16} stroke={1.6} />}
          onClick={() => void signOut()}
          data-testid="sign-out"
        >
          {t('top.signOut')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
