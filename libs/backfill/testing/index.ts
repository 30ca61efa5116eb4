export { workOffBackfill } from './work-off';
