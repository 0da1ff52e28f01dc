// comlink ships its Node adapter as an .mjs file whose types carry another name.

declare module 'comlink/dist/esm/node-adapter.mjs' {
  import type { Endpoint } from 'comlink'

  export interface NodeEndpoint {
    postMessage(message: unknown, transfer?: unknown[]): void
    on(type: string, listener: (data: unknown) => void): void
    off(type: string, listener: (data: unknown) => void): void
    start?: () => void
  }

  function nodeEndpoint(endpoint: NodeEndpoint): Endpoint
  // biome-ignore lint/style/noDefaultExport: this is how comlink exports it
  export { nodeEndpoint as default }
}
