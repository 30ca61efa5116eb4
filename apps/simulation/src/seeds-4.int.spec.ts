import { simulateSeeds } from './seeds';

simulateSeeds({ first: 1501, last: 2000 });
