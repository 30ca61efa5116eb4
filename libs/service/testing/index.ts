export { openService, type ServiceUrls } from './open-service';
