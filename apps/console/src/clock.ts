/** The time of day. The console has no database; how long a session is good is all that it asks this clock. */
export const wallClock = (): number => Date.now();
