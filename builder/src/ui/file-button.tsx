import { type ChangeEvent, useRef } from 'react'

/** A button that asks for a file. */
export function FileButton({
  label,
  about,
  accept,
  title,
  disabled = false,
  take,
}: {
  label: string
  /** What the file is, for those who do not see where the button stands. */
  about: string
  accept: string
  title?: string
  disabled?: boolean
  take: (file: File) => void
}) {
  const input = useRef<HTMLInputElement>(null)

  function chosen(event: ChangeEvent<HTMLInputElement>) {
    const [file] = event.target.files ?? []
    // So that the same file can be chosen again.
    event.target.value = ''
    if (file) take(file)
  }

  return (
    <>
      <input ref={input} type="file" accept={accept} hidden aria-label={about} onChange={chosen} />
      <button
        type="button"
        disabled={disabled}
        title={title}
        onClick={() => input.current?.click()}
      >
        {label}
      </button>
    </>
  )
}
