/** What changed between two versions of a flow, in the words of the canvas. Pure. */
import type { Flow } from './document'

export interface Change {
  kind: 'added' | 'removed' | 'changed'
  /** A card's or variable's name, or a field of the flow. */
  what: string
  /** The paths within it that differ, such as `buttons.0.label`. */
  where: string[]
}

/** Cards, variables and sending rules that differ; where cards stand is no change. */
export function changesBetween(before: Flow, after: Flow): Change[] {
  const rules = { start: 'start', window: 'sending hours', expireAfter: 'latest sending' } as const
  const fields = Object.entries(rules).flatMap(([field, what]) =>
    differing(before[field as keyof Flow], after[field as keyof Flow]).length
      ? [{ kind: 'changed' as const, what, where: [] }]
      : [],
  )
  return [
    ...compared(before.nodes, after.nodes, ''),
    ...compared(before.variables ?? {}, after.variables ?? {}, 'variable '),
    ...fields,
  ]
}

function compared(
  before: Record<string, unknown>,
  after: Record<string, unknown>,
  prefix: string,
): Change[] {
  const removed = Object.keys(before).filter((name) => !(name in after))
  return [
    ...Object.entries(after).flatMap(([name, value]): Change[] => {
      const what = prefix + name
      if (!(name in before)) return [{ kind: 'added', what, where: [] }]
      const where = differing(before[name], value)
      return where.length ? [{ kind: 'changed', what, where }] : []
    }),
    ...removed.map((name): Change => ({ kind: 'removed', what: prefix + name, where: [] })),
  ]
}

/** The paths at which two values differ; null and absent are the same. */
function differing(before: unknown, after: unknown, path = ''): string[] {
  if (before === after || (before == null && after == null)) return []
  if (!isTree(before) || !isTree(after)) return [path]
  const keys = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...keys].flatMap((key) =>
    differing(before[key], after[key], path ? `${path}.${key}` : key),
  )
}

function isTree(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
