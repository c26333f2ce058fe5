// An alert in one line of the reader's language. What the source wrote itself is kept as it came.

import { useTranslation } from 'react-i18next'
import type { Alert } from '../api/types'

/** The source's own words in an alarm's title: what stands after its kind. */
export function wordsOf(title: string, alarm: string, drill: boolean): string {
  const kind = `${drill ? 'drill: ' : ''}${alarm.replaceAll('_', ' ')}`
  return title.startsWith(kind) ? title.slice(kind.length).replace(/^[:\s]+/, '') : title
}

export function useAlertTitle() {
  const { t } = useTranslation()
  return ({ source, title }: Alert): string => {
    if (source.kind === 'alarm') {
      const words = wordsOf(title, source.alarm, source.drill)
      const kind = t(`desk.alarms.${source.alarm}`, source.alarm)
      if (words.toLowerCase().startsWith(kind.toLowerCase())) return words
      return words ? t('desk.titleAlarm', { kind, words }) : kind
    }
    const reason = t(`desk.hotlistReasons.${source.reason}`, source.reason)
    const { plate_read: read, plate_listed: listed } = source
    return source.look_alike
      ? t('desk.titleAlike', { read, listed, reason })
      : t('desk.titleHotlist', { listed, reason })
  }
}
