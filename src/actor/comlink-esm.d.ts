// comlink's ECMAScript module has no types of its own beside it: they are the package's.

declare module 'comlink/dist/esm/comlink.mjs' {
  export { expose, transfer, wrap } from 'comlink'
  export type { Endpoint } from 'comlink'
}
