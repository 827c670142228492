/** A link on the canvas, with a button in its middle that inserts a card. */
import {
  BaseEdge,
  type Edge,
  EdgeLabelRenderer,
  type EdgeProps,
  getBezierPath,
} from '@xyflow/react'
import type { Link } from '../flow/graph'

export interface LinkData extends Record<string, unknown> {
  link: Link
  /** Between whom, for those who cannot see it. */
  said: string
  /** Null where nothing can be inserted. */
  insert: ((link: Link, at: { x: number; y: number }) => void) | null
  walked: boolean
}

export type CanvasLink = Edge<LinkData, 'link'>

export function LinkLine(props: EdgeProps<CanvasLink>) {
  const { data, id, markerEnd, selected } = props
  const [path, x, y] = getBezierPath(props)
  const insert = data?.insert
  return (
    <>
      <BaseEdge
        id={id}
        path={path}
        markerEnd={markerEnd}
        interactionWidth={16}
        className={`link ${selected ? 'selected' : ''} ${data?.walked ? 'walked' : ''}`}
      />
      {insert && data && (
        <EdgeLabelRenderer>
          <button
            type="button"
            className="insert nodrag nopan"
            style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }}
            aria-label={`Insert a card: ${data.said}`}
            onClick={(event) => {
              const box = event.currentTarget.getBoundingClientRect()
              insert(data.link, { x: box.left, y: box.bottom + 4 })
            }}
          >
            +
          </button>
        </EdgeLabelRenderer>
      )}
    </>
  )
}
