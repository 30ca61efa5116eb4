/** The list of processes whose metrics are read, as the configuration writes it: `service=address`, with commas. Pure. */
export interface Address {
  service: string;
  url: string;
}

const ENTRY = /^(?<service>[a-z][a-z-]{0,30})=(?<url>https?:\/\/[^\s?#,]+)$/;
/** A process for each replica of a few services. */
const MAX_ADDRESSES = 64;

/** Undefined when the text is not such a list. */
export function parseAddresses(text: string): Address[] | undefined {
  const entries = text
    .split(',')
    .map((entry) => entry.trim())
    .filter(Boolean);
  const found = entries.map((entry) => ENTRY.exec(entry)?.groups as Address | undefined);
  if (found.length > MAX_ADDRESSES || found.some((address) => address === undefined)) return undefined;
  return found.map((address) => ({ service: address!.service, url: address!.url.replace(/\/+$/, '') }));
}
