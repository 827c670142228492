/** What the Flow Builder does to a flow. Every function is pure and answers another flow. */
import {
  emptyFlow,
  type Flow,
  freeName,
  type Message,
  type MessageType,
  type Node,
  type NodeType,
  names,
  type Position,
  placeOf,
} from './document'
import { connect, exitsOf, type Link, withTargets } from './graph'

/** A card as it comes from the sidebar. */
export function newNode(type: NodeType): Node {
  switch (type) {
    case 'message':
      return { type, message: newMessage('template') }
    case 'delay':
      return { type, duration: 'PT1H', condition: 'no_click' }
    case 'branch':
      return { type, cases: [{ variable: 'name', op: 'eq', value: '' }] }
    case 'split':
      return { type, paths: [{ weight: 50 }, { weight: 50 }] }
    case 'ask':
      return { type, variable: 'answer', timeout: 'PT1H' }
  }
}

export function newMessage(type: MessageType): Message {
  switch (type) {
    case 'template':
      return {
        type,
        name: 'my_template',
        language: 'en_US',
        category: 'marketing',
        body: [],
        preview: 'Hello!',
      }
    case 'text':
      return { type, body: '' }
    case 'buttons':
      return { type, body: '' }
    case 'list':
      return { type, body: '', menu: 'Choose' }
    case 'cta_url':
      return { type, body: '', label: 'Open', url: 'https://' }
    case 'location':
      return { type, latitude: 0, longitude: 0 }
    default:
      return { type, link: 'https://' }
  }
}

/** The name a new card begins with. */
const FIRST_NAMES: Record<NodeType, string> = {
  message: 'message',
  delay: 'wait',
  branch: 'branch',
  split: 'split',
  ask: 'ask',
}

/** Add a card; the first one becomes the start. */
export function addCard(flow: Flow, node: Node, place: Position): [Flow, string] {
  const name = freeName(FIRST_NAMES[node.type], names(flow))
  const start = flow.start in flow.nodes ? flow.start : name
  const added = { ...flow, start, nodes: { ...flow.nodes, [name]: node } }
  return [moveCards(added, { [name]: place }), name]
}

/** Add a card in the middle of a link: the link leads to it, and its first way on to the old target. */
export function insertCard(flow: Flow, link: Link, node: Node, place: Position): [Flow, string] {
  const [added, name] = addCard(flow, node, place)
  const through = connect(added, link.source, link.handle, name)
  const exits = exitsOf(node)
  const onward = exits.find((one) => one.handle === 'next') ?? exits[0]
  return [onward ? connect(through, name, onward.handle, link.target) : through, name]
}

/** Put cards somewhere; whole pixels, so that documents stay readable. */
export function moveCards(flow: Flow, places: Record<string, Position>): Flow {
  const rounded = Object.entries(places).map(([name, { x, y }]) => [
    name,
    { x: Math.round(x), y: Math.round(y) },
  ])
  return { ...flow, layout: { ...flow.layout, ...Object.fromEntries(rounded) } }
}

export function changeCard(flow: Flow, name: string, node: Node): Flow {
  return { ...flow, nodes: { ...flow.nodes, [name]: node } }
}

/** Take cards away, and with them every way on to them. */
export function removeCards(flow: Flow, gone: Iterable<string>): Flow {
  const away = new Set(gone)
  const left = Object.entries(flow.nodes).filter(([name]) => !away.has(name))
  const nodes = Object.fromEntries(
    left.map(([name, node]) => [name, withTargets(node, (to) => (away.has(to) ? null : to))]),
  )
  const layout = Object.entries(flow.layout ?? {}).filter(([name]) => !away.has(name))
  const start = away.has(flow.start) ? (left[0]?.[0] ?? '') : flow.start
  return { ...flow, start, nodes, layout: Object.fromEntries(layout) }
}

/** Another name, in the same place of the document and wherever the card is named. */
export function renameCard(flow: Flow, from: string, to: string): Flow {
  if (from === to || !(from in flow.nodes) || to in flow.nodes) return flow
  const other = (name: string) => (name === from ? to : name)
  const nodes = Object.entries(flow.nodes).map(([name, node]) => [
    other(name),
    withTargets(node, other),
  ])
  const layout = Object.entries(flow.layout ?? {}).map(([name, place]) => [other(name), place])
  return {
    ...flow,
    start: other(flow.start),
    nodes: Object.fromEntries(nodes),
    layout: Object.fromEntries(layout),
  }
}

/** Cards on the clipboard: a flow of their own. */
export function copyCards(flow: Flow, chosen: Iterable<string>): Flow {
  const nodes = [...chosen].flatMap((name) => {
    const node = flow.nodes[name]
    return node ? [[name, node] as const] : []
  })
  const layout = nodes.map(([name]) => [name, placeOf(flow, name) ?? { x: 0, y: 0 }])
  return {
    ...emptyFlow(),
    start: nodes[0]?.[0] ?? '',
    nodes: Object.fromEntries(nodes),
    layout: Object.fromEntries(layout),
  }
}

/** Put copied cards beside what is there; links among them stay, links to others are dropped. */
export function pasteCards(flow: Flow, copied: Flow, by: Position): [Flow, string[]] {
  const renamed = new Map<string, string>()
  for (const name of names(copied)) {
    renamed.set(name, freeName(name, [...names(flow), ...renamed.values()]))
  }
  const nodes = { ...flow.nodes }
  const places: Record<string, Position> = {}
  for (const [name, node] of Object.entries(copied.nodes)) {
    const to = renamed.get(name) as string
    nodes[to] = withTargets(node, (target) => renamed.get(target) ?? null)
    const place = placeOf(copied, name) ?? { x: 0, y: 0 }
    places[to] = { x: place.x + by.x, y: place.y + by.y }
  }
  const start = flow.start in nodes ? flow.start : (renamed.get(copied.start) ?? '')
  return [moveCards({ ...flow, start, nodes }, places), [...renamed.values()]]
}
