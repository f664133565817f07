// `node bench/plot-matrix.ts`: draws how the cost of a plan grows with images and with changed paths (bench/matrix.svg).
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawCharts } from './line-chart.ts';
import { planRepository } from './plan-repository.ts';

const RUNS = 1;
const FILES = 50;

const byImages = [200, 400, 800, 1200, 1600].map((images) => ({
  x: images,
  y: planRepository({ images, filesPerImage: FILES, changes: 100 }, RUNS).cpuSeconds,
}));
const byChanges = [500, 5000, 10_000, 15_000, 20_000].map((changes) => ({
  x: changes,
  y: planRepository({ images: 500, filesPerImage: FILES, changes }, RUNS).cpuSeconds,
}));
const yTitle = 'CPU seconds, git included';
writeFileSync(
  join(import.meta.dirname, 'matrix.svg'),
  drawCharts([
    { title: 'Images of 50 files, 100 changed paths', xTitle: 'images', yTitle, points: byImages },
    { title: '500 images of 50 files', xTitle: 'changed paths', yTitle, points: byChanges },
  ]),
);
console.table({ byImages, byChanges });
console.log(JSON.stringify({ byImages, byChanges }));
