import type { ReactNode } from 'react'
import css from './panel.module.css'

/** A page: its bar with title and tools, and the work below. */
export function PageFrame({
  title,
  tools,
  children,
}: {
  title: string
  tools?: ReactNode
  children: ReactNode
}) {
  return (
    <section className={css.page} aria-label={title}>
      <header className={css.bar}>
        <h1>{title}</h1>
        {tools}
      </header>
      <div className={css.body}>{children}</div>
    </section>
  )
}

export const Push = () => <span className={css.push} />
export const frame = css
