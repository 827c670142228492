/** Where cards stand: as the document says, or arranged from top to bottom. */
import { Graph, layout } from '@dagrejs/dagre'
import { type Flow, names, type Position, placeOf } from './document'
import { exitsOf, linksOf } from './graph'

export interface Size {
  width: number
  height: number
}

const CARD_WIDTH = 260

/** About as large as the card will be, for cards that were not drawn yet. */
export function guessedSize(flow: Flow, name: string): Size {
  const node = flow.nodes[name]
  const rows = node ? exitsOf(node).length : 0
  return { width: CARD_WIDTH, height: 100 + 32 * rows }
}

/** A flow whose document does not place every card is arranged as a whole. */
export function placesOf(flow: Flow): Record<string, Position> {
  const known = names(flow).map((name) => [name, placeOf(flow, name)] as const)
  if (known.some(([, place]) => place === null)) return arranged(flow, {})
  return Object.fromEntries(known) as Record<string, Position>
}

export function arranged(flow: Flow, sizes: Record<string, Size>): Record<string, Position> {
  const graph = new Graph({ multigraph: true })
  graph.setGraph({ rankdir: 'TB', nodesep: 60, ranksep: 70 })
  graph.setDefaultEdgeLabel(() => ({}))
  for (const name of names(flow)) {
    graph.setNode(name, { ...(sizes[name] ?? guessedSize(flow, name)) })
  }
  for (const link of linksOf(flow)) graph.setEdge(link.source, link.target, {}, link.handle)
  layout(graph)
  return Object.fromEntries(
    names(flow).map((name) => {
      // Dagre gives the middle of a card, the canvas wants its corner.
      const { x, y, width, height } = graph.node(name) as Position & Size
      return [name, { x: Math.round(x - width / 2), y: Math.round(y - height / 2) }]
    }),
  )
}
