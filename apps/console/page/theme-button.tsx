/** Switches between the colours of the system, light and dark. */
import { useState } from 'react';
import { applyTheme, chosenTheme, nextTheme } from './theme';

export function ThemeButton() {
  const [theme, setTheme] = useState(chosenTheme);
  const turn = () => {
    const next = nextTheme(theme);
    applyTheme(next);
    setTheme(next);
  };
  const [mark, name] = NAMES[theme];
  return (
    <button onClick={turn} title="colours: as the system says, light or dark">
      <span aria-hidden="true">{mark}</span>
      <span className="hidden">Colours:</span>
      {name}
    </button>
  );
}

const NAMES = { system: ['◐', 'Auto'], light: ['☀', 'Light'], dark: ['☾', 'Dark'] } as const;
