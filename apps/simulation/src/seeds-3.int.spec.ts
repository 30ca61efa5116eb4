import { simulateSeeds } from './seeds';

simulateSeeds({ first: 1001, last: 1500 });
