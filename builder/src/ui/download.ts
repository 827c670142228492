/** Hand a file to the browser's downloads. */
export function download(name: string, content: Blob): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(content)
  link.download = name
  link.click()
  // The download has begun by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}

export function downloadJson(name: string, document: unknown): void {
  const text = `${JSON.stringify(document, null, 2)}\n`
  download(name, new Blob([text], { type: 'application/json' }))
}

/** A campaign's name as part of a file's. */
export function fileName(name: string): string {
  return name.replace(/[^\p{L}\p{N}._-]+/gu, '_')
}
