/** Which card an issue of the API is about. */
import type { Issue } from '../api/types'
import { type Flow, names } from './document'

/** The card named by an issue's path (`nodes.wait.next`); null when it is about the flow. */
export function cardOf(flow: Flow, path: string): string | null {
  // A card's name may hold dots: the longest name that fits is meant.
  const fitting = names(flow).filter(
    (name) => path === `nodes.${name}` || path.startsWith(`nodes.${name}.`),
  )
  return fitting.sort((a, b) => b.length - a.length)[0] ?? null
}

export function issuesByCard(flow: Flow, issues: Issue[]): Map<string, Issue[]> {
  const found = new Map<string, Issue[]>()
  for (const issue of issues) {
    const card = cardOf(flow, issue.path)
    if (card !== null) found.set(card, [...(found.get(card) ?? []), issue])
  }
  return found
}

/** The issues of one field of a card, such as `duration` or `message.body`. */
export function issuesAt(issues: Issue[], card: string, field: string): Issue[] {
  const path = `nodes.${card}.${field}`
  return issues.filter((issue) => issue.path === path || issue.path.startsWith(`${path}.`))
}
