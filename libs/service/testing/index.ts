export { commonDoors, describeClosedDoors, doorKeys, putLetter } from './closed-doors';
export { openService, type ServiceUrls } from './open-service';
