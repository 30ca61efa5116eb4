import { simulateSeeds } from './seeds';

simulateSeeds({ first: 501, last: 1000 });
