import { createRoot } from 'react-dom/client'
import '@xyflow/react/dist/style.css'
import './styles/base.css'
import './styles/parts.css'
import './styles/editor.css'
import './styles/cards.css'
import './styles/pages.css'
import { App } from './app'

createRoot(document.getElementById('app') as HTMLElement).render(<App />)
