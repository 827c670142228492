/** A state as the API names it, in words and colour. */
export function Tag({
  state,
  said = state.replaceAll('_', ' '),
}: {
  state: string
  said?: string
}) {
  return <span className={`tag ${state}`}>{said}</span>
}
