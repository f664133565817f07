// `npm run bench`: every figure beside its peer or its limit, as a ratio measured in this run.
// `npm run bench -- start-up` measures one group.
import { arch, cpus, platform } from 'node:os';
import { measureBuilds } from './build.ts';
import { type Figure, formatFigures } from './figure.ts';
import { measureMatrix } from './matrix.ts';
import { measureModels } from './models.ts';
import { measurePublish } from './publish.ts';
import { measureSite, measureSiteBySize } from './site.ts';
import { measureSiteVisitors } from './site-visitors.ts';
import { measureSizes } from './sizes.ts';
import { measureStartUp } from './start-up.ts';
import { measureTags } from './tags.ts';

const groups: Readonly<Record<string, () => Promise<readonly Figure[]>>> = {
  'start-up': measureStartUp,
  tags: measureTags,
  sizes: measureSizes,
  matrix: measureMatrix,
  publish: measurePublish,
  site: measureSite,
  'site-by-size': measureSiteBySize,
  'site-visitors': measureSiteVisitors,
  models: measureModels,
  build: measureBuilds,
};
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !Object.hasOwn(groups, name));
if (unknown.length > 0) {
  console.error(`no such group: ${unknown.join(', ')}; there are ${Object.keys(groups).join(', ')}`);
  process.exit(1);
}

console.log(
  `${platform()} ${arch()}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}`,
);
for (const [name, measure] of Object.entries(groups)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.log(`\n## ${name}\n\n${formatFigures(await measure())}`);
}
