/** ISO 8601 durations, as `domain.flow.parse_duration` reads them, and words for them. */

const SHAPE = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/
const WORTH = [604_800, 86_400, 3_600, 60, 1]

/** The longest delay or ask: 20 hours (flow.md section 1). */
export const LONGEST_DELAY = 20 * 3_600

/** Seconds; null for a text that is no duration. */
export function seconds(text: string): number | null {
  const parts = SHAPE.exec(text)?.slice(1)
  if (!parts?.some((part) => part !== undefined)) return null
  return parts.reduce((sum, part, i) => sum + Number(part ?? 0) * (WORTH[i] ?? 0), 0)
}

export interface Parts {
  hours: number
  minutes: number
  seconds: number
}

export function partsOf(text: string): Parts {
  const all = seconds(text) ?? 0
  return {
    hours: Math.floor(all / 3_600),
    minutes: Math.floor((all % 3_600) / 60),
    seconds: Math.round((all % 60) * 1000) / 1000,
  }
}

/** Such as `PT1H30M`; nothing at all is `PT0S`, which the server refuses in its own words. */
export function duration(parts: Parts): string {
  const text =
    (parts.hours ? `${parts.hours}H` : '') +
    (parts.minutes ? `${parts.minutes}M` : '') +
    (parts.seconds ? `${parts.seconds}S` : '')
  return `PT${text || '0S'}`
}

/** Such as `1 h 30 min`. */
export function inWords(text: string): string {
  const parts = partsOf(text)
  const said = [
    parts.hours ? `${parts.hours} h` : '',
    parts.minutes ? `${parts.minutes} min` : '',
    parts.seconds ? `${parts.seconds} s` : '',
  ]
  return said.filter(Boolean).join(' ') || '0 min'
}

/** A number of seconds in the same words. */
export function secondsInWords(all: number): string {
  return inWords(`PT${Math.round(all)}S`)
}
