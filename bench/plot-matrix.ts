// `node bench/plot-matrix.ts`: draws how the cost of a plan grows with images and with changed paths (bench/matrix.svg).
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawCharts } from './line-chart.ts';
import { planRepository } from './plan-repository.ts';

const RUNS = 2;
const FILES = 50;

const byImages = [250, 500, 1000, 1500, 2000].map((images) => ({
  x: images,
  y: planRepository({ images, filesPerImage: FILES, changes: 100 }, RUNS).cpuSeconds,
}));
const byChanges = [1000, 10_000, 20_000, 30_000, 40_000].map((changes) => ({
  x: changes,
  y: planRepository({ images: 1000, filesPerImage: FILES, changes }, RUNS).cpuSeconds,
}));
const yTitle = 'CPU seconds, git included';
writeFileSync(
  join(import.meta.dirname, 'matrix.svg'),
  drawCharts([
    { title: 'Images of 50 files, 100 changed paths', xTitle: 'images', yTitle, points: byImages },
    { title: '1,000 images of 50 files', xTitle: 'changed paths', yTitle, points: byChanges },
  ]),
);
console.table({ byImages, byChanges });
console.log(JSON.stringify({ byImages, byChanges }));
