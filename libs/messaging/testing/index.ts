export { EventListener } from './event-listener';
