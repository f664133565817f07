import { append } from '../example/changes.ts';
import { openExample } from '../example/open-example.ts';
import type { WorkflowResult } from '../workflow/workflow-result.ts';
import type { World } from '../world.ts';

/** The summary that one step left, under the title that GitHub gives to those of its job. */
export interface Sample {
  /** `RUN/JOB/ACTION`, unique. */
  readonly name: string;
  readonly action: string;
  readonly title: string;
  readonly markdown: string;
}

const FAIR_BASE = 'ghcr.io/hotosm/fair-utilities-base';

/**
 * Releases of two of the examples with real services: everything, one line of the site, a version, a model that was
 * tampered with, and a repository with CPU and GPU variants. Returns what their steps wrote as job summaries.
 */
export async function collectSamples(): Promise<readonly Sample[]> {
  const detector = async (): Promise<readonly Sample[]> => {
    await using example = await openExample({
      name: 'safety-detector',
      repository: 'Acme/Safety-Detector',
      vars: ({ vars }) => vars,
    });
    const style = append('frontend/src/style.css', 'h1 { margin: 0; }');
    const tampered = append('yolov8_model/best.pt', 'tampered');
    return [
      ...samplesOf('first', await example.firstPush('release.yml'), example.world),
      ...samplesOf('line', await example.push('release.yml', style), example.world),
      ...samplesOf('version', await example.pushTag('release.yml', 'v1.4.2'), example.world),
      ...samplesOf('tampered', await example.push('release.yml', tampered), example.world),
    ];
  };
  const variants = async (): Promise<readonly Sample[]> => {
    await using example = await openExample({
      name: 'fair',
      repository: 'hotosm/fAIr',
      branch: 'master',
      vars: () => ({
        BASE_IMAGES: [
          `${FAIR_BASE}:latest-cpu=docker-image://tensorflow/tensorflow:2.9.2`,
          `${FAIR_BASE}:latest-gpu=docker-image://tensorflow/tensorflow:2.9.2-gpu`,
        ].join('\n'),
      }),
    });
    const broken = append('backend/Dockerfile.workers', 'RUN no-such-program');
    return [
      ...samplesOf('variants', await example.firstPush('publish.yml'), example.world),
      ...samplesOf('broken', await example.push('publish.yml', broken), example.world),
    ];
  };
  return [...(await detector()), ...(await variants())];
}

function samplesOf(run: string, { jobs }: WorkflowResult, world: World): readonly Sample[] {
  return jobs.flatMap(({ id, name, matrix, steps }) =>
    steps
      .filter(({ summary }) => summary !== '')
      .map((step) => {
        const action = /actions\/([\w-]+)@/.exec(step.name)?.[1] ?? step.name;
        const row = String(matrix['id'] ?? '');
        const markdown = withPublicAddresses(step.summary, world);
        return { name: [run, id, row, action].filter((part) => part !== '').join('/'), action, title: name, markdown };
      }),
  );
}

/** The services of this machine under the addresses that a reader knows, which are also as long as those. */
function withPublicAddresses(markdown: string, { registry, s3, vars }: World): string {
  return markdown
    .replaceAll(registry.host, 'ghcr.io')
    .replaceAll(`${s3.endpoint}/${vars['SITE_BUCKET']}`, `https://${vars['SITE_BUCKET']}.s3.us-east-1.amazonaws.com`);
}
