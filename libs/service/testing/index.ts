export {
  backfillDoors,
  commonDoors,
  describeClosedDoors,
  doorKeys,
  everybody,
  operators,
  putLetter,
} from './closed-doors';
export { answersWith, bad, FakeNeighbour, type Way } from './fake-neighbour';
export { openService, type ServiceUrls } from './open-service';
