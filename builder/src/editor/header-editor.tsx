import type { Header } from '../flow/document'
import { LIMITS } from '../flow/limits'
import { SelectField, TextField } from '../ui/field'

type Kind = 'none' | 'text' | 'image' | 'video' | 'document' | 'location'

const KINDS: readonly (readonly [Kind, string])[] = [
  ['none', 'None'],
  ['text', 'Text'],
  ['image', 'Image'],
  ['video', 'Video'],
  ['document', 'Document'],
  ['location', 'Location'],
]

/** What stands on top of a message. */
export function HeaderEditor<H extends Header>({
  header,
  kinds,
  change,
  said,
}: {
  header: H | null | undefined
  kinds: readonly Kind[]
  change: (header: H | null) => void
  said: (field: string) => string | null
}) {
  const known: Exclude<Header, string> | null =
    typeof header === 'string' ? { type: 'text', text: header } : (header ?? null)
  const put = (changed: Exclude<Header, string> | null) => change(changed as H | null)

  return (
    <>
      <SelectField
        label="Header"
        value={known?.type ?? 'none'}
        options={KINDS.filter(([kind]) => kind === 'none' || kinds.includes(kind))}
        onChange={(kind) => put(newHeader(kind))}
        problem={known ? null : said('header')}
      />
      {known?.type === 'text' && (
        <TextField
          label="Header text"
          value={known.text}
          most={LIMITS.longestHeader}
          fills
          problem={said('header')}
          onChange={(text) => put({ ...known, text })}
        />
      )}
      {known && 'link' in known && (
        <TextField
          label="Header link"
          value={known.link ?? ''}
          fills
          problem={said('header')}
          hint="A public https address; it may hold variables."
          onChange={(link) => put({ ...known, link })}
        />
      )}
      {known && !('link' in known) && known.type !== 'text' && known.type !== 'location' && (
        <TextField
          label="Header media id"
          value={known.id ?? ''}
          problem={said('header')}
          onChange={(id) => put({ ...known, id })}
        />
      )}
      {known?.type === 'location' && (
        <div className="pair">
          <TextField
            label="Latitude"
            value={String(known.latitude)}
            problem={said('header.latitude')}
            onChange={(latitude) => put({ ...known, latitude })}
          />
          <TextField
            label="Longitude"
            value={String(known.longitude)}
            problem={said('header.longitude')}
            onChange={(longitude) => put({ ...known, longitude })}
          />
        </div>
      )}
    </>
  )
}

function newHeader(kind: Kind): Exclude<Header, string> | null {
  switch (kind) {
    case 'none':
      return null
    case 'text':
      return { type: 'text', text: '' }
    case 'location':
      return { type: 'location', latitude: '0', longitude: '0' }
    default:
      return { type: kind, link: 'https://' }
  }
}
