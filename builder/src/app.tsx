import type { ReactNode } from 'react'
import { CampaignsPage } from './campaigns/campaigns-page'
import { EditorPage } from './editor/editor-page'
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
    default:
      return <CampaignsPage />
  }
}

function Framed({ route, children }: { route: Route; children: ReactNode }) {
  const { me, signOut } = useSession()
  const inCampaigns = route.page === 'campaigns'
  return (
    <>
      <header className="top">
        <a className="brand" href={to.campaigns}>
          <img src="./icon.svg" alt="" width="24" height="24" /> Sendout
        </a>
        <nav aria-label="Sections">
          <a href={to.campaigns} aria-current={inCampaigns ? 'page' : undefined}>
            Campaigns
          </a>
          <a href={to.sendouts} aria-current={inCampaigns ? undefined : 'page'}>
            Sendouts
          </a>
        </nav>
        <span className="who" title={`Scopes: ${me.scopes.join(', ')}`}>
          {me.name}
        </span>
        <button type="button" className="quiet" onClick={signOut}>
          Sign out
        </button>
      </header>
      <main className="page">{children}</main>
    </>
  )
}
