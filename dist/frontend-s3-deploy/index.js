import { start } from '../bundle/index.js';
await start('frontend-s3-deploy');
