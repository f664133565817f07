import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { append, replace } from '../../harness/example/changes.ts';
import { type Example, openExample } from '../../harness/example/open-example.ts';
import { annotationsOf, failuresOf, isReadOnly, jobOf, stepOf } from '../../harness/example/run-facts.ts';
import { assetsOf, sitePage } from '../../harness/example/site-pages.ts';
import { startWeightsServer, type WeightsServer } from '../../harness/example/weights-server.ts';
import { type CloudFront, startCloudFront } from '../../harness/standins/cloudfront.ts';

const MODEL = path.join(import.meta.dirname, '../../../examples/safety-detector/yolov8_model/best.pt');

let example: Example;
let cloudFront: CloudFront;
let server: WeightsServer;

beforeAll(async () => {
  cloudFront = await startCloudFront({ distributions: [{ id: 'E2FAIR', aliases: ['fair.example'] }] });
  server = await startWeightsServer(readFileSync(MODEL));
  example = await openExample({
    name: 'fair',
    repository: 'hotosm/fAIr',
    branch: 'master',
    vars: (world) => ({
      FRONTEND_BUCKET: world.vars['SITE_BUCKET'] ?? '',
      FRONTEND_DOMAIN: 'fair.example',
      VITE_BASE_API_URL: 'https://api.fair.example/',
      VITE_FAIR_PREDICTOR_API_URL: 'https://predictor.fair.example/',
      VITE_OSM_HASHTAGS: '#HOTOSM-FAIR',
    }),
    secrets: (world) => ({ AWS_OIDC_ROLE: world.vars['SITE_ROLE'] ?? '' }),
    environment: () => ({ AWS_ENDPOINT_URL_CLOUDFRONT: cloudFront.url }),
  });
  example.git.commit([replace('backend/models.yml', 'https://models.fair.example', server.url)]);
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await example?.[Symbol.asyncDispose]();
  await cloudFront?.stop();
});

describe('the frontend’s deploy', () => {
  let oldAssets: readonly string[];

  test('a release puts the exported folder into the bucket, with the role’s credentials and the headers of theirs', async () => {
    example.git.tag('v2.0.11');
    const run = await example.release('frontend.yml', 'v2.0.11');
    expect(failuresOf(run)).toEqual([]);
    expect(jobOf(run, 'deploy').permissions).toMatchObject({ contents: 'read', packages: 'none', 'id-token': 'write' });
    expect(example.world.sts.sessions).toMatchObject([
      { roleArn: example.world.vars['SITE_ROLE'], sessionName: 'fAIrGithub' },
    ]);
    const page = await sitePage(example.world, 'index.html');
    expect(page.headers['cache-control']).toBe('no-cache, no-store, must-revalidate');
    oldAssets = assetsOf(page);
    expect(oldAssets).toHaveLength(1);
    const script = await sitePage(example.world, oldAssets[0] ?? '');
    expect(script.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect(script.text).toContain('https://api.fair.example/');
    expect(cloudFront.invalidations.map(({ distribution, batch }) => [distribution, batch.paths])).toEqual([
      ['E2FAIR', ['/*']],
    ]);
  });

  test('variables that nobody has set are warned of, since an empty text is baked in; those that are set are not', async () => {
    const run = await example.dispatch('frontend.yml');
    const named = annotationsOf(run).flatMap(({ level, message }) =>
      level === 'warning' ? (/^the build argument "(\w+)" is empty/.exec(message)?.[1] ?? []) : [],
    );
    expect(named).toEqual(['VITE_MATOMO_ID', 'VITE_MATOMO_APP_DOMAIN']);
  });

  test('a run by hand with nothing new sends nothing', async () => {
    const run = await example.dispatch('frontend.yml');
    expect(failuresOf(run)).toEqual([]);
    expect(stepOf(run, 'site').outputs).toMatchObject({ uploaded: '0', unchanged: '3' });
  });

  test('the next release brings new assets, and keeps those that an open tab may ask for', async () => {
    example.git.commit([append('frontend/src/main.js', 'console.log("new");')]);
    example.git.tag('v2.1.0');
    const run = await example.release('frontend.yml', 'v2.1.0');
    expect(failuresOf(run)).toEqual([]);
    const assets = assetsOf(await sitePage(example.world, 'index.html'));
    expect(assets).not.toEqual(oldAssets);
    for (const asset of [...assets, ...oldAssets])
      expect((await sitePage(example.world, asset)).status, asset).toBe(200);
  });
});

describe('the weights that the tests load', () => {
  test('are fetched from their address and are what their digest says, on a pull request from a fork too', async () => {
    const run = await example.pullRequest('tests.yml', 'fork', append('backend/core/models.py', '# more'));
    expect(failuresOf(run)).toEqual([]);
    expect(isReadOnly(run)).toBe(true);
    expect(jobOf(run, 'backend').steps.map(({ outputs }) => outputs['verified'])).toContain('1');
  });

  test('stop the tests when they are others, which are not left there', async () => {
    server.weights = Buffer.concat([server.weights, Buffer.from('tampered')]);
    const run = await example.push('tests.yml', append('backend/core/models.py', '# more'));
    expect(run.conclusion).toBe('failure');
    expect(annotationsOf(run)).toContainEqual(
      expect.objectContaining({ level: 'error', file: 'backend/models.yml', line: 3 }),
    );
  });
});
