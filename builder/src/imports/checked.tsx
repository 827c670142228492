import type { Import } from '../api/types'
import { secondsInWords } from '../flow/durations'
import { Count } from '../ui/count'
import { ListTable } from '../ui/list-table'
import { Notice } from '../ui/notice'
import { Time } from '../ui/time'
import { Version } from '../ui/version'

/** What was found in a file: who would get it, who not and why, and how long it takes. */
export function Checked({ found }: { found: Import }) {
  const { duplicates, errors } = found
  return (
    <section aria-label="What was found" className="progress-part">
      <h2>What was found</h2>
      <dl className="counts">
        <Count label="Rows" value={found.rows} />
        <Count label="Get a first message" value={found.toSend} />
        <Count label="Not valid" value={found.invalid} />
        <Count label="Twice in the file" value={duplicates.inFile} />
        <Count label="Got it before" value={duplicates.sentBefore} />
        <Count label="Opted out" value={found.optedOut} />
      </dl>
      <p>
        {found.toSend > 0 && (
          <>
            The first messages take about <b>{secondsInWords(found.secondsNeeded)}</b> at the
            sender's rate.{' '}
          </>
        )}
        <span className="soft">
          Read as {found.encoding}, separated by {separator(found.delimiter)}. Checked against
          version <Version of={found.campaignVersion} />; kept until <Time at={found.expiresAt} />.
        </span>
      </p>
      {errors.length > 0 && (
        <>
          <h3>Rows that are left out</h3>
          {found.invalid > errors.length && (
            <Notice>
              The first {errors.length} of {found.invalid}.
            </Notice>
          )}
          <ListTable columns={['Row', 'Column', 'What is wrong']}>
            {errors.map((error) => (
              <tr key={error.row}>
                <th scope="row" data-label="Row">
                  {error.row}
                </th>
                <td data-label="Column">{error.column ?? '–'}</td>
                <td data-label="What is wrong">{wordsOf(error)}</td>
              </tr>
            ))}
          </ListTable>
        </>
      )}
    </section>
  )
}

/** The column says which field it is, so the API's name of it is left out. */
function wordsOf({ column, message }: Import['errors'][number]): string {
  return column === null ? message : message.replace(/^`[^`]*` /, '')
}

function separator(delimiter: string): string {
  return { ',': 'commas', ';': 'semicolons', '\t': 'tabs' }[delimiter] ?? delimiter
}
