/** A small client of the services' HTTP APIs, for the demo, the tests and the measurements. */

export interface ApiResponse<Body = Record<string, never>> {
  status: number;
  headers: Headers;
  body: Body;
  text: string;
}

export interface ApiRequest {
  headers?: Record<string, string>;
  body?: unknown;
}

export class ApiClient {
  constructor(
    private readonly baseUrl: string,
    private readonly apiKey?: string,
    /** How long an answer may take; without it, as long as it likes. */
    private readonly timeoutMs?: number,
  ) {}

  async send<Body>(method: string, path: string, { headers, body }: ApiRequest = {}): Promise<ApiResponse<Body>> {
    const response = await fetch(this.baseUrl + path, {
      method,
      headers: {
        ...(this.apiKey ? { authorization: `Bearer ${this.apiKey}` } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      signal: this.timeoutMs === undefined ? undefined : AbortSignal.timeout(this.timeoutMs),
      body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await response.text();
    const json = (response.headers.get('content-type') ?? '').includes('json');
    return { status: response.status, headers: response.headers, text, body: (json ? JSON.parse(text) : {}) as Body };
  }

  get<Body>(path: string, headers?: Record<string, string>): Promise<ApiResponse<Body>> {
    return this.send('GET', path, { headers });
  }

  put<Body>(path: string, body: unknown, headers?: Record<string, string>): Promise<ApiResponse<Body>> {
    return this.send('PUT', path, { body, headers });
  }

  post<Body>(path: string, body: unknown, key?: string): Promise<ApiResponse<Body>> {
    return this.send('POST', path, { body, headers: key === undefined ? {} : { 'idempotency-key': key } });
  }

  /** All items of a paged list. */
  async all<Item>(path: string): Promise<Item[]> {
    const items: Item[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const after: string = cursor && `&cursor=${encodeURIComponent(cursor)}`;
      const page: ApiResponse<{ items: Item[]; next: string | null }> = await this.get(`${path}?limit=200${after}`);
      if (page.status !== 200) throw new Error(`GET ${path} answered ${page.status}: ${page.text}`);
      items.push(...page.body.items);
      cursor = page.body.next;
    }
    return items;
  }
}
