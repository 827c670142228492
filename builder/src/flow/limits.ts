/** WhatsApp's limits on texts, as `domain/limits.py` has them; a test compares the two. */

export const LIMITS = {
  text: 4096,
  interactiveBody: 1024,
  header: 60,
  footer: 60,
  replyTitle: 20,
  listMenu: 20,
  ctaLabel: 20,
  rowTitle: 24,
  rowDescription: 72,
  sectionTitle: 24,
  url: 2000,
  caption: 1024,
  replyButtons: 3,
  listRows: 10,
  templateName: 512,
  templateBody: 1024,
  quickReply: 25,
  templateButtons: 10,
  copyCode: 20,
} as const

const PLACEHOLDER = /\{\{\s*[^{}\s][^{}]*\}\}/g

/** How short a text can become, in Unicode characters: its length without the placeholders. */
export function leastLength(text: string): number {
  return [...text.replace(PLACEHOLDER, '')].length
}
