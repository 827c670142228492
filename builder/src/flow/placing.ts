/** Where new cards go on the canvas. Every function is pure and answers the flow and the card's name. */
import { type Flow, type NodeType, names, type Position, placeOf } from './document'
import { addCard, insertCard, moveCards, newNode } from './edits'
import { connect, exitsOf, type Link } from './graph'
import { placesOf } from './layout'

/** Make a card in a flow. */
export type Make = (flow: Flow) => [Flow, string]

/** The flow with a place for every card, so that a new one does not make the others move. */
export function placed(flow: Flow): Flow {
  const missing = names(flow).some((name) => placeOf(flow, name) === null)
  return missing ? moveCards(flow, placesOf(flow)) : flow
}

export function addNear(flow: Flow, type: NodeType, place: Position): [Flow, string] {
  return addCard(flow, newNode(type), freePlace(flow, place))
}

/** Below a card, and after it if nothing is yet; `height` is that of the card. */
export function addBelow(
  flow: Flow,
  above: string,
  type: NodeType,
  height: number,
): [Flow, string] {
  const { x, y } = placesOf(flow)[above] ?? { x: 0, y: 0 }
  const [added, name] = addNear(flow, type, { x, y: y + height + 70 })
  const node = flow.nodes[above]
  const isFree = node && exitsOf(node).some((exit) => exit.handle === 'next' && !exit.target)
  return [isFree ? connect(added, above, 'next', name) : added, name]
}

/** At the end of a way on. */
export function addAfter(
  flow: Flow,
  { source, handle }: { source: string; handle: string },
  type: NodeType,
  place: Position,
): [Flow, string] {
  const [added, name] = addCard(flow, newNode(type), place)
  return [connect(added, source, handle, name), name]
}

export function addInto(flow: Flow, link: Link, type: NodeType): [Flow, string] {
  const { x, y } = placesOf(flow)[link.target] ?? { x: 0, y: 0 }
  return insertCard(flow, link, newNode(type), freePlace(flow, { x: x + 40, y: y - 60 }))
}

/** A place like the wanted one where no card begins. */
function freePlace(flow: Flow, wanted: Position): Position {
  const taken = Object.values(placesOf(flow))
  let place = wanted
  while (taken.some(({ x, y }) => Math.abs(x - place.x) < 40 && Math.abs(y - place.y) < 40)) {
    place = { x: place.x + 300, y: place.y }
  }
  return place
}
