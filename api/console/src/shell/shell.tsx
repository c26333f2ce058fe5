import { notifications } from '@mantine/notifications'
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Outlet, useNavigate } from 'react-router'
import { connectEvents } from '../api/events'
import type { Alert, Me } from '../api/types'
import { useGround } from '../stores/ground'
import { useAlertTitle } from '../ui/alerttitle'
import { useKeys, useStable } from '../ui/hooks'
import { GroundDialog } from './grounddialog'
import { KeyHelp } from './keyhelp'
import { preloadPages } from './loaders'
import { Rail } from './rail'
import { TopBar } from './topbar'
import css from './shell.module.css'

export function Shell({ me }: { me: Me }) {
  const [help, setHelp] = useState(false)
  const { load, ask } = useGround()
  useEffect(() => void load().catch(() => undefined), [load, me.account.id])
  useEvents(me)
  useEffect(() => void preloadPages(), [])
  useKeys({
    '?': () => setHelp(true),
    g: () => ask(),
    '/': () => document.querySelector<HTMLInputElement>('[data-search]')?.focus(),
  })
  return (
    <div className={css.shell}>
      <Rail me={me} />
      <TopBar me={me} showKeys={() => setHelp(true)} />
      <main className={css.work}>
        <Outlet />
      </main>
      <GroundDialog me={me} />
      <KeyHelp opened={help} close={() => setHelp(false)} />
    </div>
  )
}

/** The stream of changes, for as long as somebody is signed in. */
function useEvents(me: Me) {
  const client = useQueryClient()
  const navigate = useNavigate()
  const { t } = useTranslation()
  const title = useAlertTitle()
  const raised = useStable((alert: Alert) => {
    if (location.pathname.startsWith('/desk') || !me.rights.includes('work_alerts')) return
    notifications.show({
      id: alert.id,
      title: t('desk.toast'),
      message: title(alert),
      color: alert.state === 'candidate' ? 'violet' : 'alarm',
      autoClose: 12_000,
      onClick: () => {
        notifications.hide(alert.id)
        void navigate(`/desk/${alert.id}`)
      },
      style: { cursor: 'pointer' },
    })
  })
  const may = me.rights.includes('see_state')
  useEffect(() => (may ? connectEvents(client, raised) : undefined), [client, raised, may])
  useEffect(() => () => client.clear(), [client, me.account.id])
}
