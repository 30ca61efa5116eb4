import { simulateSeeds } from './seeds';

simulateSeeds({ first: 1, last: 500 });
