import i18next from 'i18next'
import { initReactI18next } from 'react-i18next'
import { en } from './en'
import { zh } from './zh'

export const LANGUAGES = { zh: '中文', en: 'English' } as const
export type Language = keyof typeof LANGUAGES

const KEY = 'sightline.language'

export function firstLanguage(stored: string | null, wanted: readonly string[]): Language {
  if (stored === 'zh' || stored === 'en') return stored
  for (const tag of wanted) {
    const short = tag.slice(0, 2).toLowerCase()
    if (short === 'zh' || short === 'en') return short
  }
  return 'en'
}

const show = (language: string) => {
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en'
}

export async function startI18n() {
  const language = firstLanguage(localStorage.getItem(KEY), navigator.languages)
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: 'en',
    resources: { en: { translation: en }, zh: { translation: zh } },
    interpolation: { escapeValue: false },
    returnObjects: true,
  })
  show(language)
  i18next.on('languageChanged', chosen => {
    localStorage.setItem(KEY, chosen)
    show(chosen)
  })
}
