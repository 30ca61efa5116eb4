export { commonDoors, describeClosedDoors, doorKeys, everybody, operators, putLetter } from './closed-doors';
export { openService, type ServiceUrls } from './open-service';
