// Before everything: who is there? Nobody: sign in. Somebody: the shell around the page.

import { Button } from '@mantine/core'
import { IconCompass } from '@tabler/icons-react'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, Navigate, useRouteError } from 'react-router'
import { Problem } from '../api/http'
import { useSession } from '../stores/session'
import { Empty, ProblemNote } from '../ui/notes'
import { SignIn } from '../pages/signin/page'
import { pagesFor } from './pages'
import { Shell } from './shell'
import css from './shell.module.css'

export function Gate() {
  const { me, trouble, load } = useSession()
  useEffect(() => void load(), [load])
  useEffect(() => {
    if (!trouble) return
    const timer = setInterval(() => void load(), 3000)
    return () => clearInterval(timer)
  }, [trouble, load])
  if (trouble && !me)
    return (
      <div className={css.alone}>
        <ProblemNote error={trouble} retry={() => void load()} />
      </div>
    )
  if (me === undefined) return null
  return me === null ? <SignIn /> : <Shell me={me} />
}

export function Home() {
  const me = useSession(s => s.me)
  const first = me ? pagesFor(me)[0] : undefined
  return first ? <Navigate to={`/${first.name}`} replace /> : <NotFound />
}

export function NotFound() {
  const { t } = useTranslation()
  return (
    <Empty
      icon={<IconCompass size={28} stroke={1.4} />}
      title={t('notFound.title')}
      text={t('notFound.text')}
    >
      <Button component={Link} to="/" variant="default">
        {t('notFound.home')}
      </Button>
    </Empty>
  )
}

export function RouteTrouble() {
  const { t } = useTranslation()
  const error = useRouteError()
  const shown =
    error instanceof Problem ? error : new Problem(0, 'render', '', '', t('problems.renderRemedy'))
  return (
    <div className={css.alone}>
      <ProblemNote error={shown} retry={() => location.reload()} />
    </div>
  )
}
