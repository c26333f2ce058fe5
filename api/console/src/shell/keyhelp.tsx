import { Kbd, Modal } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { BINDINGS, keyLabel, type Scope } from '../lib/keys'
import css from './keyhelp.module.css'

const SCOPES: Scope[] = ['everywhere', 'wall', 'patrol', 'desk', 'playback']

export function KeyHelp({ opened, close }: { opened: boolean; close: () => void }) {
  const { t } = useTranslation()
  return (
    <Modal opened={opened} onClose={close} title={t('keys.title')} size="xl">
      <div className={css.columns} data-testid="key-help">
        {SCOPES.map(scope => (
          <section key={scope}>
            <h3>{t(`keys.scopes.${scope}`)}</h3>
            {BINDINGS.filter(b => b.scope === scope).map(b => (
              <p key={b.act}>
                <span>
                  {b.keys.map(k => (
                    <Kbd key={k} size="xs">
                      {keyLabel(k)}
                    </Kbd>
                  ))}
                </span>
                {t(`keys.${b.act}`)}
              </p>
            ))}
          </section>
        ))}
        <section>
          <h3>{t('keys.mouse')}</h3>
          <p className={css.plain}>{t('keys.mouseDrag')}</p>
          <p className={css.plain}>{t('keys.mouseDouble')}</p>
          <p className={css.plain}>{t('keys.mouseWheel')}</p>
        </section>
      </div>
    </Modal>
  )
}
