/** Who is signed in, and what this console was told about the system. */
import { createContext, useContext } from 'react';

export interface Session {
  mark: string;
  isPlatform: boolean;
  until: string;
}

export interface Settings {
  hasLogs: boolean;
  hasFigures: boolean;
  logUrl: string | null;
  traceUrl: string | null;
}

export interface Here {
  session: Session;
  settings: Settings;
  signOut: () => void;
}

export const HereContext = createContext<Here | undefined>(undefined);

export function useHere(): Here {
  const here = useContext(HereContext);
  if (!here) throw new Error('nobody is signed in here');
  return here;
}
