export { type RoundOptions, type RoundResult, runRound } from './round';
