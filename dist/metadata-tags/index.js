import { start } from '../bundle/index.js';
await start('metadata-tags');
