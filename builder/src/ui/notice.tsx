import type { ReactNode } from 'react'

/** Something to be read now; errors are announced. */
export function Notice({
  kind = 'info',
  children,
}: {
  kind?: 'info' | 'error' | 'warning' | 'good'
  children: ReactNode
}) {
  return (
    <div className={`notice ${kind}`} role={kind === 'error' ? 'alert' : 'status'}>
      {children}
    </div>
  )
}
