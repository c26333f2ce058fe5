import { Button, Menu, PasswordInput, TextInput, UnstyledButton } from '@mantine/core'
import { IconLanguage } from '@tabler/icons-react'
import { useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { LANGUAGES, type Language } from '../../i18n'
import { useSession } from '../../stores/session'
import { ProblemNote } from '../../ui/notes'
import { Logo } from '../../shell/rail'
import css from './signin.module.css'

export function SignIn() {
  const { t, i18n } = useTranslation()
  const signIn = useSession(s => s.signIn)
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const [busy, setBusy] = useState(false)
  const [trouble, setTrouble] = useState<unknown>(null)
  const [asked, setAsked] = useState(false)

  const submit = async (event: FormEvent) => {
    event.preventDefault()
    setAsked(true)
    if (!name || !password) return
    setBusy(true)
    setTrouble(null)
    try {
      await signIn(name, password)
    } catch (error) {
      setTrouble(error)
      setPassword('')
    } finally {
      setBusy(false)
    }
  }

  return (
    <div className={css.page}>
      <Field />
      <form className={css.card} onSubmit={event => void submit(event)} data-testid="sign-in">
        <div className={css.brand}>
          <Logo size={40} />
          <div>
            <b>{t('app.name')}</b>
            <span>{t('app.purpose')}</span>
          </div>
        </div>
        <TextInput
          size="sm"
          label={t('signIn.name')}
          value={name}
          onChange={e => setName(e.currentTarget.value)}
          autoComplete="username"
          autoFocus
          data-testid="sign-in-name"
        />
        <PasswordInput
          size="sm"
          label={t('signIn.password')}
          value={password}
          onChange={e => setPassword(e.currentTarget.value)}
          autoComplete="current-password"
          data-testid="sign-in-password"
        />
        {asked && (!name || !password) && !trouble ? <p className={css.hint}>{t('signIn.missing')}</p> : null}
        {trouble ? <ProblemNote error={trouble} /> : null}
        <Button type="submit" size="sm" loading={busy} fullWidth data-testid="sign-in-submit">
          {t('signIn.submit')}
        </Button>
        <p className={css.lead}>{t('signIn.lead')}</p>
        <p className={css.help}>{t('signIn.help')}</p>
      </form>
      <div className={css.language}>
        <Menu position="top-end">
          <Menu.Target>
            <UnstyledButton className={css.languageButton} data-testid="language">
              <IconLanguage size={16} stroke={1.6} aria-hidden />
              {LANGUAGES[i18n.language as Language]}
            </UnstyledButton>
          </Menu.Target>
          <Menu.Dropdown>
            {(Object.keys(LANGUAGES) as Language[]).map(l => (
              <Menu.Item key={l} onClick={() => void i18n.changeLanguage(l)} data-testid={`language-${l}`}>
                {LANGUAGES[l]}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      </div>
    </div>
  )
}

/** Lines of sight: what the name says, and nothing that moves. */
function Field() {
  const eyes = [
    [120, 640, -28, 46],
    [420, 180, 62, 40],
    [900, 760, -70, 52],
    [1240, 240, 148, 44],
    [1480, 620, -158, 50],
    [700, 420, 20, 36],
  ] as const
  return (
    <svg className={css.field} viewBox="0 0 1600 900" preserveAspectRatio="xMidYMid slice" aria-hidden>
      {eyes.map(([x, y, turn, angle]) => (
        <g key={`${x}`} transform={`translate(${x} ${y}) rotate(${turn})`}>
          {[420, 280, 140].map(r => (
            <path
              key={r}
              d={sector(r, angle)}
              fill="none"
              stroke="currentColor"
              strokeWidth="1"
              opacity={0.9 - r / 640}
            />
          ))}
          <circle r="3" fill="currentColor" />
        </g>
      ))}
    </svg>
  )
}

function sector(r: number, angle: number) {
  const half = (angle / 2) * (Math.PI / 180)
  const [x, y] = [r * Math.cos(half), r * Math.sin(half)]
  return `M0 0 L${x} ${-y} A${r} ${r} 0 0 1 ${x} ${y} Z`
}
