/** The way of a link from a card's side: down (or up) beside the card, then across, into the target. */
import type { Position } from '../flow/document'

const CORNER = 10
/** How far above its target a link crosses over. */
const APPROACH = 26
const FIRST_LANE = 18
const LANE_WIDTH = 8

export interface Way {
  path: string
  /** Where the button that inserts a card stands. */
  middle: Position
}

/** Each way on of a card has its own lane, so that links from one card do not lie on one another. */
export function sideWay(from: Position, to: Position, lane: number): Way {
  const x = from.x + FIRST_LANE + lane * LANE_WIDTH
  const y = to.y - APPROACH
  const corners = [
    { x, y: from.y },
    { x, y },
    { x: to.x, y },
  ]
  const wide = Math.abs(to.x - x) > 4 * CORNER
  const middle = wide ? { x: (x + to.x) / 2, y } : { x, y: (from.y + y) / 2 }
  return { path: rounded([from, ...corners, to]), middle }
}

/** A line through points that lie straight beside or above one another, with round corners. */
function rounded(points: Position[]): string {
  const [first, ...rest] = points as [Position, ...Position[]]
  let path = `M${first.x},${first.y}`
  let before = first
  for (const [i, corner] of rest.entries()) {
    const after = rest[i + 1]
    if (!after) return `${path} L${corner.x},${corner.y}`
    const radius = Math.min(CORNER, distance(before, corner) / 2, distance(corner, after) / 2)
    const enter = towards(corner, before, radius)
    const leave = towards(corner, after, radius)
    path += ` L${enter.x},${enter.y} Q${corner.x},${corner.y} ${leave.x},${leave.y}`
    before = corner
  }
  return path
}

function distance(a: Position, b: Position): number {
  return Math.abs(a.x - b.x) + Math.abs(a.y - b.y)
}

function towards(from: Position, to: Position, length: number): Position {
  return {
    x: from.x + Math.sign(to.x - from.x) * length,
    y: from.y + Math.sign(to.y - from.y) * length,
  }
}
