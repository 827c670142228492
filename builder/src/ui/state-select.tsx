/** Which state to list; empty is any. */
export function StateSelect({
  states,
  value,
  onChange,
}: {
  states: string[]
  value: string
  onChange: (state: string) => void
}) {
  return (
    <label className="check">
      State
      <select value={value} onChange={(event) => onChange(event.target.value)}>
        <option value="">any</option>
        {states.map((one) => (
          <option key={one} value={one}>
            {one.replaceAll('_', ' ')}
          </option>
        ))}
      </select>
    </label>
  )
}
