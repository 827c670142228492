import { type ReactNode, useEffect, useRef } from 'react'
import { CampaignsPage } from './campaigns/campaigns-page'
import { CustomersPage } from './customers/customers-page'
import { OptOutsPage } from './customers/opt-outs-page'
import { EditorPage } from './editor/editor-page'
import { ImportPage } from './imports/import-page'
import { type Route, routeOf, to, useHash } from './routes'
import { EntryPage } from './sendouts/entry-page'
import { SendoutPage } from './sendouts/sendout-page'
import { SendoutsPage } from './sendouts/sendouts-page'
import { SignedIn, useSession } from './session'

export function App() {
  return (
    <SignedIn>
      <Pages />
    </SignedIn>
  )
}

function Pages() {
  const route = routeOf(useHash())
  if (route.page === 'campaign') {
    return <EditorPage key={route.campaignId} campaignId={route.campaignId} />
  }
  return <Framed route={route}>{shown(route)}</Framed>
}

function shown(route: Route): ReactNode {
  switch (route.page) {
    case 'sendouts':
      return <SendoutsPage campaignId={route.campaignId} />
    case 'sendout':
      return <SendoutPage key={route.sendoutId} sendoutId={route.sendoutId} />
    case 'entry':
      return <EntryPage sendoutId={route.sendoutId} entryId={route.entryId} />
    case 'import':
      return <ImportPage campaignName={route.campaignName} importId={route.importId} />
    case 'customers':
      return <CustomersPage key={route.client} client={route.client} />
    case 'opt-outs':
      return <OptOutsPage />
    default:
      return <CampaignsPage />
  }
}

/** The sections, and the pages that belong to each. */
const SECTIONS: [string, string, Route['page'][]][] = [
  ['Campaigns', to.campaigns, ['campaigns']],
  ['Sendouts', to.sendouts, ['sendouts', 'sendout', 'entry', 'import']],
  ['Customers', to.customers, ['customers']],
  ['Opt-outs', to.optOuts, ['opt-outs']],
]

function Framed({ route, children }: { route: Route; children: ReactNode }) {
  const { me, signOut } = useSession()
  const main = useRef<HTMLElement>(null)
  const [section] = SECTIONS.find(([, , pages]) => pages.includes(route.page)) ?? ['']
  // Who reads by ear or keyboard begins where the new page does.
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is for another page
  useEffect(() => main.current?.focus(), [route.page])
  return (
    <>
      <title>{`${section} – Sendout`}</title>
      <header className="top">
        <a className="brand" href={to.campaigns}>
          <img src="./icon.svg" alt="" width="24" height="24" /> Sendout
        </a>
        <nav aria-label="Sections">
          {SECTIONS.map(([label, address]) => (
            <a key={label} href={address} aria-current={label === section ? 'page' : undefined}>
              {label}
            </a>
          ))}
        </nav>
        <span className="who" title={`Scopes: ${me.scopes.join(', ')}`}>
          {me.name}
        </span>
        <button type="button" className="quiet" onClick={signOut}>
          Sign out
        </button>
      </header>
      <main className="page" ref={main} tabIndex={-1}>
        {children}
      </main>
    </>
  )
}
