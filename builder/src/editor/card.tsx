/** A card on the canvas, with one handle per way on. */
import {
  type Node as CanvasNode,
  Handle,
  type NodeProps,
  Position,
  useUpdateNodeInternals,
} from '@xyflow/react'
import { memo, useEffect } from 'react'
import type { Issue, NodeCounts } from '../api/types'
import type { MessageNode, Node } from '../flow/document'
import { type Exit, exitsOf } from '../flow/graph'
import { shown, type Values } from '../flow/rendering'
import { kindOf, summaryOf } from '../flow/words'
import { Count } from '../ui/count'
import { CardIcon } from '../ui/icon'
import { useTemplate } from './templates'

export type Mark = 'visited' | 'waiting' | 'skipped'

interface CardData extends Record<string, unknown> {
  name: string
  node: Node
  isStart: boolean
  issues: Issue[]
  examples: Values
  mark: Mark | null
  counts: NodeCounts | null
}

export type CanvasCard = CanvasNode<CardData, 'card'>

export const Card = memo(function Card({ data, selected }: NodeProps<CanvasCard>) {
  const { name, node, isStart, issues, mark, counts } = data
  const exits = exitsOf(node)
  const rows = exits.filter((exit) => !isBottom(node, exit))
  const bottom = exits.find((exit) => isBottom(node, exit))
  const errors = issues.filter((issue) => issue.severity === 'error').length
  useHandles(name, exits)

  return (
    <div className={`card ${node.type} ${mark ?? ''} ${selected ? 'selected' : ''}`}>
      <Handle type="target" position={Position.Top} id="in" data-testid={`in-${name}`} />
      <div className="card-head">
        <CardIcon type={node.type} />
        <span className="card-kind">{kindOf(node)}</span>
        <span className="card-name">{name}</span>
        {isStart && <span className="badge start">Start</span>}
        {mark === 'skipped' && <span className="badge warning">Skipped</span>}
        {issues.length > 0 && (
          <span className={`badge ${errors ? 'error' : 'warning'}`} title={issues[0]?.message}>
            {errors ? `${errors} ✕` : `${issues.length} !`}
          </span>
        )}
      </div>
      {node.type === 'message' ? (
        <MessageBody node={node} examples={data.examples} />
      ) : (
        <p className="card-text">{summaryOf(node)}</p>
      )}
      {counts && <CardCounts counts={counts} />}
      {rows.length > 0 && (
        <ul className="card-exits">
          {rows.map((exit) => (
            <ExitRow key={exit.handle} name={name} exit={exit} counts={counts} />
          ))}
        </ul>
      )}
      {bottom && (
        <Handle
          type="source"
          position={Position.Bottom}
          id={bottom.handle}
          data-testid={`out-${name}-${bottom.handle}`}
          title="Then"
        />
      )}
    </div>
  )
})

function isBottom(node: Node, exit: Exit): boolean {
  return exit.handle === 'next' && node.type !== 'ask'
}

/** React Flow looks for handles anew only when it is told that they moved. */
function useHandles(name: string, exits: Exit[]) {
  const update = useUpdateNodeInternals()
  const handles = exits.map((exit) => exit.handle).join('\n')
  // biome-ignore lint/correctness/useExhaustiveDependencies: the handles are what it waits for
  useEffect(() => update(name), [name, handles, update])
}

function MessageBody({ node, examples }: { node: MessageNode; examples: Values }) {
  const { medium, header, body, links } = shown(node, examples, useTemplate(node))
  return (
    <div className="card-text">
      {medium && <p className="card-medium">{medium}</p>}
      {header && <p className="card-header">{header}</p>}
      {body ? <p className="clamped">{body}</p> : !medium && <p className="soft">No text yet</p>}
      {links.length > 0 && <p className="card-links">{links.join(' · ')}</p>}
    </div>
  )
}

function ExitRow({ name, exit, counts }: { name: string; exit: Exit; counts: NodeCounts | null }) {
  const [kind, button] = exit.handle.split(/:(.*)/s)
  const taps = kind === 'button' && counts ? (counts.clicked[button ?? ''] ?? 0) : null
  return (
    <li>
      <span className="exit-label">{exit.label}</span>
      {taps !== null && <span className="exit-count">{taps}</span>}
      <Handle
        type="source"
        position={Position.Right}
        id={exit.handle}
        data-testid={`out-${name}-${exit.handle}`}
        title={exit.label}
      />
    </li>
  )
}

function CardCounts({ counts }: { counts: NodeCounts }) {
  return (
    <dl className="card-counts">
      <Count label="sent" value={counts.sent} />
      <Count label="delivered" value={counts.delivered} />
      <Count label="read" value={counts.read} />
      {counts.failed > 0 && <Count label="failed" value={counts.failed} />}
      {counts.unknown > 0 && <Count label="unknown" value={counts.unknown} />}
    </dl>
  )
}
