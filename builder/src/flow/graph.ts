/** A flow as a graph: the ways on from each card, and what it takes to change one. Pure. */
import type { Flow, Node } from './document'

/** A way on from a card. `handle` names it on the canvas and stays the same while others change. */
export interface Exit {
  handle: string
  label: string
  target: string | null
}

export interface Link {
  source: string
  handle: string
  target: string
}

/** Every way on, in the order the card shows them. */
export function exitsOf(node: Node): Exit[] {
  switch (node.type) {
    case 'message': {
      const buttons = (node.buttons ?? []).map((button) =>
        exit(`button:${button.id}`, button.label || 'Button', button.next),
      )
      return [...buttons, exit('next', 'Then', node.next)]
    }
    case 'delay':
      return [exit('next', 'Then', node.next)]
    case 'branch': {
      const cases = node.cases.map((one, i) => exit(`case:${i}`, caseLabel(one), one.next))
      return [...cases, exit('otherwise', 'Otherwise', node.otherwise)]
    }
    case 'split': {
      const total = node.paths.reduce((sum, path) => sum + path.weight, 0)
      return node.paths.map((path, i) =>
        exit(`path:${i}`, `${letter(i)}: ${percent(path.weight / total)}`, path.next),
      )
    }
    case 'ask':
      return [exit('next', 'Answer', node.next), exit('on_timeout', 'No answer', node.on_timeout)]
  }
}

function exit(handle: string, label: string, target: string | null | undefined): Exit {
  return { handle, label, target: target ?? null }
}

const SIGNS = {
  eq: '=',
  ne: '≠',
  lt: '<',
  le: '≤',
  gt: '>',
  ge: '≥',
  contains: 'contains',
  in: 'in',
}

function caseLabel(one: { variable: string; op: string; value: unknown }): string {
  if (one.op === 'exists') return `${one.variable} ${one.value ? 'is there' : 'is missing'}`
  const value = Array.isArray(one.value) ? one.value.join(', ') : String(one.value)
  return `${one.variable} ${SIGNS[one.op as keyof typeof SIGNS]} ${value}`
}

export function letter(i: number): string {
  return i < 26 ? String.fromCharCode(65 + i) : String(i + 1)
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10}%`
}

/** All links, card by card; ways on to cards that do not exist are left out. */
export function linksOf(flow: Flow): Link[] {
  return Object.entries(flow.nodes).flatMap(([source, node]) =>
    exitsOf(node).flatMap(({ handle, target }) =>
      target !== null && target in flow.nodes ? [{ source, handle, target }] : [],
    ),
  )
}

/** The node with one way on changed; null takes it away. An unknown handle changes nothing. */
export function withExit(node: Node, handle: string, target: string | null): Node {
  const [kind, key = ''] = split(handle)
  if (kind === 'button' && node.type === 'message') {
    const buttons = (node.buttons ?? []).map((b) => (b.id === key ? set(b, 'next', target) : b))
    return { ...node, buttons }
  }
  if (kind === 'case' && node.type === 'branch') {
    return { ...node, cases: at(node.cases, Number(key), target) }
  }
  if (kind === 'path' && node.type === 'split') {
    return { ...node, paths: at(node.paths, Number(key), target) }
  }
  return exitsOf(node).some((one) => one.handle === handle) ? set(node, handle, target) : node
}

function split(handle: string): [string, string?] {
  const colon = handle.indexOf(':')
  return colon < 0 ? [handle] : [handle.slice(0, colon), handle.slice(colon + 1)]
}

function at<T extends object>(list: T[], position: number, target: string | null): T[] {
  return list.map((item, i) => (i === position ? set(item, 'next', target) : item))
}

function set<T extends object>(item: T, field: string, target: string | null): T {
  if (target !== null) return { ...item, [field]: target }
  const { [field]: _, ...rest } = item as Record<string, unknown>
  return rest as T
}

export function connect(flow: Flow, source: string, handle: string, target: string | null): Flow {
  const node = flow.nodes[source]
  if (!node || (target !== null && !(target in flow.nodes))) return flow
  return { ...flow, nodes: { ...flow.nodes, [source]: withExit(node, handle, target) } }
}

/** The node with every way on sent through `to`, which answers null to take it away. */
export function withTargets(node: Node, to: (target: string) => string | null): Node {
  return exitsOf(node).reduce(
    (changed, { handle, target }) =>
      target === null || to(target) === target ? changed : withExit(changed, handle, to(target)),
    node,
  )
}
