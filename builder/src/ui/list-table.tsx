import type { ReactNode } from 'react'

/** What stands above a column; an `unseen` heading is only read aloud. */
type Column = string | { number: string } | { unseen: string }

/** A list as a table; `children` are its rows. */
export function ListTable({ columns, children }: { columns: Column[]; children: ReactNode }) {
  return (
    <div className="table-frame">
      <table className="list">
        <thead>
          <tr>{columns.map(heading)}</tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  )
}

function heading(column: Column) {
  if (typeof column === 'string') {
    return (
      <th key={column} scope="col">
        {column}
      </th>
    )
  }
  if ('number' in column) {
    return (
      <th key={column.number} scope="col" className="number">
        {column.number}
      </th>
    )
  }
  return (
    <th key={column.unseen} scope="col">
      <span className="unseen">{column.unseen}</span>
    </th>
  )
}
