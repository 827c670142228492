/** WhatsApp's limits on texts, as `domain/limits.py` has them (`make builder` writes them anew). */
import LIMITS from './limits.json'

export { LIMITS }

const PLACEHOLDER = /\{\{\s*[^{}\s][^{}]*\}\}/g

/** How short a text can become, in Unicode characters: its length without the placeholders. */
export function leastLength(text: string): number {
  return [...text.replace(PLACEHOLDER, '')].length
}
