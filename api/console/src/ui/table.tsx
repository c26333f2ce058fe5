import type { ReactNode } from 'react'
import css from './table.module.css'

export const TableCss = css

/** A plain table with a head that stays. */
export function DataTable({
  head,
  children,
  testid,
}: {
  head: string[]
  children: ReactNode
  testid?: string
}) {
  return (
    <div className={css.scroll}>
      <table className={css.table} data-testid={testid}>
        <thead>
          <tr>
            {head.map(h => (
              <th key={h} scope="col">
                {h}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  )
}
