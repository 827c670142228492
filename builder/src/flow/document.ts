/** The flow document: the shapes that `domain/flow.py` reads, and its smallest questions. */
import type { components } from '../api/schema'

type Schemas = components['schemas']

export type Flow = Schemas['Flow']
export type Node = Flow['nodes'][string]
export type NodeType = Node['type']
export type MessageNode = Schemas['MessageNode']
export type DelayNode = Schemas['DelayNode']
export type BranchNode = Schemas['BranchNode']
export type SplitNode = Schemas['SplitNode']
export type AskNode = Schemas['AskNode']
export type Message = MessageNode['message']
export type MessageType = Message['type']
export type TemplateMessage = Schemas['TemplateMessage']
export type MediaMessage = Schemas['MediaMessage']
export type Button = Schemas['Button']
export type Case = Schemas['Case']
export type Variable = Schemas['Variable']
export type Window = Schemas['Window']
export type Header = NonNullable<TemplateMessage['header']>

export interface Position {
  x: number
  y: number
}

/** A flow without cards, which is where a new campaign begins. It cannot be saved yet. */
export function emptyFlow(): Flow {
  return { format: 1, start: '', variables: {}, nodes: {}, layout: {} }
}

export function names(flow: Flow): string[] {
  return Object.keys(flow.nodes)
}

/** A name nobody has: `wait`, `wait_2`, `wait_3`, … */
export function freeName(wanted: string, taken: Iterable<string>): string {
  const used = new Set(taken)
  if (!used.has(wanted)) return wanted
  const base = wanted.replace(/_\d+$/, '')
  let n = 2
  while (used.has(`${base}_${n}`)) n += 1
  return `${base}_${n}`
}

/** The place a card was put at; null when the document has none. */
export function placeOf(flow: Flow, name: string): Position | null {
  const place = flow.layout?.[name] as Partial<Position> | undefined
  const known = Number.isFinite(place?.x) && Number.isFinite(place?.y)
  return known ? { x: Number(place?.x), y: Number(place?.y) } : null
}

/** The variables that asks fill in. */
export function askedVariables(flow: Flow): string[] {
  return Object.values(flow.nodes).flatMap((node) => (node.type === 'ask' ? [node.variable] : []))
}
