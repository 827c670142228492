/** Drawn here, so that they look the same whatever fonts there are. */
import type { NodeType } from '../flow/document'

const PATHS: Record<NodeType, string> = {
  message: 'M2 4h12v8H6l-3 2v-2H2z',
  delay: 'M8 2a6 6 0 1 0 .01 0M8 5v3l2 2',
  branch: 'M8 2v4M8 6 3 10v4M8 6l5 4v4',
  split: 'M8 14V8M8 8C8 5 3 6 3 2M8 8c0-3 5-2 5-6',
  ask: 'M5 6a3 3 0 1 1 4 3c-1 .4-1 1-1 2M8 13.4v.6',
}

export function CardIcon({ type }: { type: NodeType }) {
  return (
    <span className={`card-icon ${type}`} aria-hidden="true">
      <svg viewBox="0 0 16 16" width="14" height="14" focusable="false" aria-hidden="true">
        <path
          d={PATHS[type]}
          fill="none"
          stroke="currentColor"
          strokeWidth="1.8"
          strokeLinecap="round"
          strokeLinejoin="round"
        />
      </svg>
    </span>
  )
}
