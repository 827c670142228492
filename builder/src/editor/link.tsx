/** A link on the canvas, with a button in its middle that inserts a card. */
import {
  BaseEdge,
  type Edge,
  EdgeLabelRenderer,
  type EdgeProps,
  getSmoothStepPath,
  Position,
} from '@xyflow/react'
import type { Link } from '../flow/graph'
import { sideWay, type Way } from './link-path'

interface LinkData extends Record<string, unknown> {
  link: Link
  /** Between whom, for those who cannot see it. */
  said: string
  /** Null where nothing can be inserted. */
  insert: ((link: Link, at: { x: number; y: number }) => void) | null
  walked: boolean
  /** Which of the ways on of its card it is. */
  lane: number
}

export type CanvasLink = Edge<LinkData, 'link'>

export function LinkLine(props: EdgeProps<CanvasLink>) {
  const { data, id, markerEnd, selected } = props
  const { path, middle } = wayOf(props)
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
            style={{ transform: `translate(-50%, -50%) translate(${middle.x}px, ${middle.y}px)` }}
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

function wayOf(props: EdgeProps<CanvasLink>): Way {
  const { sourcePosition, sourceX, sourceY, targetX, targetY, data } = props
  if (sourcePosition === Position.Right) {
    return sideWay({ x: sourceX, y: sourceY }, { x: targetX, y: targetY }, data?.lane ?? 0)
  }
  const [path, x, y] = getSmoothStepPath({ ...props, borderRadius: 12 })
  return { path, middle: { x, y } }
}
