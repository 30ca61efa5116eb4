/** Where in the console somebody is: the part of the address behind `#`. Pure, but for the two functions at the end. */
export interface Place {
  /** Such as `['sagas', '<id>']`. */
  parts: string[];
  query: URLSearchParams;
}

export function readPlace(hash: string): Place {
  const [path = '', search = ''] = hash.replace(/^#/, '').split('?', 2);
  return { parts: path.split('/').filter(Boolean).map(decoded), query: new URLSearchParams(search) };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** An address of the console. What is empty in the query is left out. */
export function hrefTo(parts: readonly string[], query: Record<string, string | undefined> = {}): string {
  const named = Object.entries(query).filter((entry): entry is [string, string] => !!entry[1]);
  const search = new URLSearchParams(named).toString();
  return `#/${parts.map(encodeURIComponent).join('/')}${search && `?${search}`}`;
}

/** The address of the same page with other values in its query. */
export function hrefWith({ parts, query }: Place, changes: Record<string, string | undefined>): string {
  return hrefTo(parts, { ...Object.fromEntries(query), ...changes });
}

export function goTo(href: string): void {
  location.hash = href;
}

export function onMove(tell: () => void): () => void {
  addEventListener('hashchange', tell);
  return () => removeEventListener('hashchange', tell);
}
