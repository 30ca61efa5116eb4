/** Asks a running service over HTTP; whatever goes wrong becomes one sentence for whoever typed the command. */
import { ApiClient, type ApiResponse } from '../api-client';
import { DEVELOPMENT_KEY } from '../development-key';
import { ownServices, type ServiceName, usualPorts } from '../services';

/** Thrown when it cannot be done; its message is one sentence. */
export class OpsError extends Error {}

export interface Asked {
  name: ServiceName;
  /** The variable that says where it is. */
  variable: string;
  url: string;
  api: ApiClient;
}

/** Longer than nearly all of these requests take; somebody sits and waits. */
const TIMEOUT_MS = 10_000;
const NO_CONTENT = 204;

const usualUrlOf = (name: ServiceName): string => `http://127.0.0.1:${usualPorts[name]}`;

/** The variables that say where to ask, each with its default. */
export const urlVariables = ownServices.map((name) => `${name.toUpperCase()}_URL (${usualUrlOf(name)})`).join(', ');

/** Where `npm start` has it, unless the environment says otherwise. */
export function serviceIn(env: NodeJS.ProcessEnv, name: ServiceName, timeoutMs = TIMEOUT_MS): Asked {
  const variable = `${name.toUpperCase()}_URL`;
  const url = (env[variable] || usualUrlOf(name)).replace(/\/+$/, '');
  return { name, variable, url, api: new ApiClient(url, env['API_KEY'] || DEVELOPMENT_KEY, timeoutMs) };
}

/** @param fine statuses that are an answer; any other is a reason to stop. @throws OpsError */
export async function ask<Body>(
  { name, url, variable, api }: Asked,
  request: (api: ApiClient) => Promise<ApiResponse<Body>>,
  fine: readonly number[] = [200, 201],
): Promise<ApiResponse<Body>> {
  const response = await request(api).catch((error: Error) => {
    const why = (error.cause as Error | undefined)?.message ?? error.message;
    throw new OpsError(
      `The ${name} service did not answer at ${url} (${why}): is it running, is ${variable} right, and, after an act, what does show say?`,
    );
  });
  const { status, headers, body } = response;
  if (status === NO_CONTENT && fine.includes(status)) return response;
  if (!/json/.test(headers.get('content-type') ?? '') || typeof body !== 'object' || body === null) {
    throw new OpsError(`What answers at ${url} (status ${status}) is not the ${name} service; set ${variable}.`);
  }
  if (fine.includes(status)) return response;
  const { code, detail } = body as { code?: string; detail?: string };
  throw new OpsError(`The ${name} service says no: ${detail ?? `status ${status}`}${code ? ` (${code})` : ''}.`);
}
