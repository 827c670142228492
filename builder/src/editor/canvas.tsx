import {
  Background,
  Controls,
  type EdgeChange,
  MarkerType,
  MiniMap,
  type NodeChange,
  ReactFlow,
  useReactFlow,
} from '@xyflow/react'
import { type DragEvent, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import type { Issue, NodeCounts } from '../api/types'
import { type Flow, type NodeType, names, type Position } from '../flow/document'
import { moveCards, removeCards } from '../flow/edits'
import { connect, exitsOf, type Link, linksOf } from '../flow/graph'
import { issuesByCard } from '../flow/issues'
import { placesOf, type Size } from '../flow/layout'
import type { Values } from '../flow/rendering'
import { kindOf } from '../flow/words'
import { type CanvasCard, Card, type Mark } from './card'
import { type CanvasLink, LinkLine } from './link'
import type { Edit } from './use-draft'

const CARDS = { card: Card }
const LINKS = { link: LinkLine }
const NO_ISSUES: Issue[] = []
const WHOLE = { maxZoom: 1, padding: 0.1 }
const KEYS = {
  'node.a11yDescription.keyboardDisabled':
    'Enter opens the card, Enter again goes to its editor, Escape leaves it. The arrow keys move an open card, Delete takes it away.',
}
const MAP_SIZE = { width: 150, height: 100 }

/** Where a card may be added: in a link, at the end of a way on that was dropped, or anywhere. */
export type Spot =
  | { link: Link; at: Position }
  | { from: { source: string; handle: string }; place: Position; at: Position }

interface CanvasProps {
  flow: Flow
  label: string
  selected: string[]
  select: (names: string[]) => void
  issues?: Issue[]
  examples?: Values
  marks?: Map<string, Mark>
  counts?: Record<string, NodeCounts>
  /** A card that was just added, and is to be seen. */
  reveal?: string | null
  /** Absent where the flow can only be looked at. */
  editing?: {
    edit: Edit
    /** Ask for the type of a card to add there. */
    ask: (spot: Spot) => void
    /** A type was dropped from the sidebar. */
    drop: (type: NodeType, place: Position) => void
    measured: (sizes: Record<string, Size>) => void
  }
}

export const DRAGGED_TYPE = 'application/x-sendout-card'

export function Canvas(props: CanvasProps) {
  const { flow, label, selected, select, editing } = props
  const { fitView, screenToFlowPosition } = useReactFlow()
  const counted = props.counts !== undefined
  const places = useMemo(() => (counted ? spread(placesOf(flow)) : placesOf(flow)), [flow, counted])
  const [moving, setMoving] = useState<Record<string, Position>>({})
  const [sizes, setSizes] = useState<Record<string, Size>>({})
  const [chosenLinks, setChosenLinks] = useState<string[]>([])
  const reconnected = useRef(false)
  // Several changes may come before the page is drawn again.
  const latest = useRef(selected)
  latest.current = selected
  const nodes = useCards(props, places, moving, sizes)
  const edges = useLinks(props, chosenLinks)

  // What is to be seen can be told only when every card was measured.
  const isMeasured = nodes.length > 0 && nodes.every((node) => node.measured)
  const isFitted = useRef(false)
  useEffect(() => {
    if (!isMeasured || isFitted.current) return
    isFitted.current = true
    requestAnimationFrame(() => void fitView(WHOLE))
  }, [isMeasured, fitView])
  useReveal(props.reveal ?? null, sizes, places)

  const tellMeasured = editing?.measured
  useEffect(() => tellMeasured?.(sizes), [sizes, tellMeasured])

  function onNodesChange(changes: NodeChange<CanvasCard>[]) {
    const dropped: Record<string, Position> = {}
    let chosen = latest.current
    for (const change of changes) {
      if (change.type === 'dimensions' && change.dimensions) {
        const { dimensions } = change
        setSizes((known) => ({ ...known, [change.id]: dimensions }))
      } else if (change.type === 'position' && change.position) {
        const { position } = change
        if (change.dragging) setMoving((known) => ({ ...known, [change.id]: position }))
        else dropped[change.id] = position
      } else if (change.type === 'select') {
        const others = chosen.filter((name) => name !== change.id)
        chosen = change.selected ? [...others, change.id] : others
      }
    }
    if (chosen !== latest.current) {
      latest.current = chosen
      select(chosen)
    }
    if (Object.keys(dropped).length > 0) put(dropped)
  }

  function put(dropped: Record<string, Position>) {
    setMoving({})
    const moved = Object.entries(dropped).some(
      ([name, { x, y }]) => places[name]?.x !== Math.round(x) || places[name]?.y !== Math.round(y),
    )
    // From the first move on the document places every card, so the others stay where they are seen.
    if (moved) editing?.edit((f) => moveCards(f, { ...places, ...dropped }))
  }

  const onEdgesChange = useCallback((changes: EdgeChange<CanvasLink>[]) => {
    for (const change of changes) {
      if (change.type !== 'select') continue
      setChosenLinks((known) => {
        const others = known.filter((id) => id !== change.id)
        return change.selected ? [...others, change.id] : others
      })
    }
  }, [])

  function onDrop(event: DragEvent) {
    const type = event.dataTransfer.getData(DRAGGED_TYPE)
    if (!editing || !type) return
    event.preventDefault()
    const place = screenToFlowPosition({ x: event.clientX, y: event.clientY })
    editing.drop(type as NodeType, place)
  }

  return (
    <ReactFlow<CanvasCard, CanvasLink>
      aria-label={label}
      nodes={nodes}
      edges={edges}
      nodeTypes={CARDS}
      edgeTypes={LINKS}
      onNodesChange={onNodesChange}
      onEdgesChange={onEdgesChange}
      onDelete={({ nodes, edges }) => {
        editing?.edit((f) => {
          const unlinked = edges.reduce((g, edge) => cut(g, edge.data?.link), f)
          return removeCards(
            unlinked,
            nodes.map((node) => node.id),
          )
        })
        setChosenLinks([])
      }}
      onConnect={({ source, sourceHandle, target }) =>
        editing?.edit((f) => connect(f, source, sourceHandle ?? 'next', target))
      }
      onConnectEnd={(event, state) => {
        if (!editing || state.isValid || !state.fromNode || state.fromHandle?.type !== 'source')
          return
        if (reconnected.current) return
        const at = 'changedTouches' in event ? event.changedTouches[0] : event
        if (!at || !onPane(at)) return
        editing.ask({
          from: { source: state.fromNode.id, handle: state.fromHandle.id ?? 'next' },
          place: screenToFlowPosition({ x: at.clientX, y: at.clientY }),
          at: { x: at.clientX, y: at.clientY },
        })
      }}
      onReconnectStart={() => {
        reconnected.current = true
      }}
      onReconnect={(old, { source, sourceHandle, target }) =>
        editing?.edit((f) =>
          connect(cut(f, old.data?.link), source, sourceHandle ?? 'next', target),
        )
      }
      onReconnectEnd={(_, edge, __, state) => {
        // Dropped nowhere: the link is taken away.
        if (!state.isValid) editing?.edit((f) => cut(f, edge.data?.link))
        setTimeout(() => {
          reconnected.current = false
        })
      }}
      onDragOver={(event) => {
        if (editing && event.dataTransfer.types.includes(DRAGGED_TYPE)) event.preventDefault()
      }}
      onDrop={onDrop}
      nodesDraggable={Boolean(editing)}
      nodesConnectable={Boolean(editing)}
      edgesReconnectable={Boolean(editing)}
      edgesFocusable={Boolean(editing)}
      deleteKeyCode={editing ? ['Delete', 'Backspace'] : null}
      connectionRadius={36}
      reconnectRadius={16}
      elevateEdgesOnSelect
      minZoom={0.15}
      maxZoom={1.6}
      fitViewOptions={WHOLE}
      colorMode="system"
      ariaLabelConfig={editing ? KEYS : undefined}
      proOptions={{ hideAttribution: true }}
    >
      <Background gap={24} />
      <Controls showInteractive={false} />
      <MiniMap
        style={MAP_SIZE}
        pannable
        zoomable
        ariaLabel="Overview of the flow"
        nodeClassName={mapClass}
      />
    </ReactFlow>
  )
}

function cut(flow: Flow, link: Link | undefined): Flow {
  return link ? connect(flow, link.source, link.handle, null) : flow
}

/** Cards that show counts are taller, so they stand further apart. */
function spread(places: Record<string, Position>): Record<string, Position> {
  const apart = Object.entries(places).map(([name, { x, y }]) => [name, { x, y: y * 1.3 }])
  return Object.fromEntries(apart)
}

/** Move the canvas so that a new card is seen, if it is not. */
function useReveal(
  name: string | null,
  sizes: Record<string, Size>,
  places: Record<string, Position>,
) {
  const { flowToScreenPosition, getZoom, setCenter } = useReactFlow()
  const shown = useRef<string | null>(null)
  useEffect(() => {
    const size = name === null ? undefined : sizes[name]
    const place = name === null ? undefined : places[name]
    const frame = document.querySelector('.react-flow')?.getBoundingClientRect()
    if (!size || !place || !frame || shown.current === name) return
    shown.current = name
    const { x, y } = flowToScreenPosition(place)
    const zoom = getZoom()
    const inside =
      x >= frame.left &&
      y >= frame.top &&
      x + size.width * zoom <= frame.right &&
      y + size.height * zoom <= frame.bottom
    const middle = [place.x + size.width / 2, place.y + size.height / 2] as const
    if (!inside) void setCenter(...middle, { zoom, duration: 200 })
  }, [name, sizes, places, flowToScreenPosition, getZoom, setCenter])
}

function mapClass(node: CanvasCard): string {
  return node.data.node.type
}

function onPane(at: { clientX: number; clientY: number }): boolean {
  const under = document.elementFromPoint(at.clientX, at.clientY)
  return under?.classList.contains('react-flow__pane') ?? false
}

function useCards(
  { flow, selected, issues = NO_ISSUES, examples, marks, counts }: CanvasProps,
  places: Record<string, Position>,
  moving: Record<string, Position>,
  sizes: Record<string, Size>,
): CanvasCard[] {
  return useMemo(() => {
    const found = issuesByCard(flow, issues)
    return names(flow).flatMap((name): CanvasCard[] => {
      const node = flow.nodes[name]
      const position = moving[name] ?? places[name]
      if (!node || !position) return []
      const own = found.get(name) ?? NO_ISSUES
      return [
        {
          id: name,
          type: 'card',
          position,
          measured: sizes[name],
          selected: selected.includes(name),
          ariaLabel: `${kindOf(node)} ${name}${name === flow.start ? ', start' : ''}${said(own)}`,
          data: {
            name,
            node,
            isStart: name === flow.start,
            issues: own,
            examples: examples ?? {},
            mark: marks?.get(name) ?? null,
            counts: counts?.[name] ?? null,
          },
        },
      ]
    })
  }, [flow, issues, examples, marks, counts, selected, places, moving, sizes])
}

function said(issues: Issue[]): string {
  return issues.length ? `, ${issues.length} ${issues.length === 1 ? 'issue' : 'issues'}` : ''
}

function useLinks({ flow, editing, marks }: CanvasProps, chosen: string[]): CanvasLink[] {
  const ask = editing?.ask
  return useMemo(
    () =>
      linksOf(flow).map((link): CanvasLink => {
        const id = `${link.source}→${link.handle}`
        const node = flow.nodes[link.source]
        const exits = node ? exitsOf(node) : []
        const lane = exits.findIndex((one) => one.handle === link.handle)
        const exit = exits[lane]
        const from = `${link.source}, ${exit?.label ?? link.handle}, to ${link.target}`
        return {
          id,
          type: 'link',
          source: link.source,
          sourceHandle: link.handle,
          target: link.target,
          targetHandle: 'in',
          selected: chosen.includes(id),
          ariaLabel: `Link from ${from}`,
          markerEnd: {
            type: MarkerType.ArrowClosed,
            width: 16,
            height: 16,
            markerUnits: 'userSpaceOnUse',
          },
          data: {
            link,
            said: from,
            lane,
            insert: ask ? (where, at) => ask({ link: where, at }) : null,
            walked: Boolean(marks?.has(link.source) && marks.has(link.target)),
          },
        }
      }),
    [flow, ask, marks, chosen],
  )
}
