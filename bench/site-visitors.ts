import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { request } from '../src/core/net/request.ts';
import { ASSETS, PAGES, pagesOf, visit } from '../test/harness/site/visitor.ts';
import type { Figure } from './figure.ts';
import { type Bench, bucketClient, makeBucket, TOOLS, type ToolName, withStore } from './site/bench-store.ts';
import { awsCli, runTool, slipway, type Tool } from './site/deploy-tools.ts';

const OLD = pagesOf('1a2b3c4d');
const NEW = pagesOf('5e6f7a8b');

interface Seen {
  readonly tool: string;
  /** Of a hundred page loads while the deploy ran. */
  readonly brokenShare: number;
  /** Of a hundred chunks that a tab opened before the deploy still wants. */
  readonly lostShare: number;
}

/**
 * What a visitor 20 ms away meets while a site of 21 pages and 600 assets is deployed that renames every asset, beside
 * `aws s3 sync --delete` and rclone, which deletes by default.
 */
export async function measureSiteVisitors(): Promise<readonly Figure[]> {
  return await withStore(async (bench, log) => {
    const store = { ...bench.ceph, endpoint: bench.distant };
    const tools: Record<ToolName, Tool> = {
      ours: slipway(store, bench.temp, { INPUT_DELETE: 'true' }),
      aws: awsCli(store, bench.root, ['--delete']),
      rclone: bench.tools.rclone,
    };
    const seen = new Map<ToolName, Seen>();
    for (const name of TOOLS) seen.set(name, await deployUnderVisits(bench, tools[name], log));
    const ours = seen.get('ours');
    return TOOLS.filter((name) => name !== 'ours').flatMap((name) => {
      const peer = seen.get(name);
      if (ours === undefined || peer === undefined) return [];
      return [
        {
          name: 'page loads that broke',
          value: ours.brokenShare,
          unit: '%',
          against: { name: peer.tool, value: peer.brokenShare },
        },
        {
          name: 'chunks that an open tab lost',
          value: ours.lostShare,
          unit: '%',
          against: { name: peer.tool, value: peer.lostShare },
        },
      ] satisfies Figure[];
    });
  });
}

async function deployUnderVisits(bench: Bench, tool: Tool, log: (line: string) => void): Promise<Seen> {
  const bucket = await makeBucket(bench.ceph);
  await letEverybodyRead(bench, bucket);
  const folder = join(bench.temp, 'visited');
  await writeSite(folder, OLD);
  await runTool(tool, folder, bucket);
  await writeSite(folder, NEW);
  const address = `${bench.distant}/${bucket}/`;
  let isOver = false;
  const visits = visit(address, () => isOver);
  await runTool(tool, folder, bucket).finally(() => {
    isOver = true;
  });
  const { loads, brokenLoads } = await visits;
  const chunks = Object.keys(OLD).filter((path) => path.startsWith('assets/'));
  const answers = await Promise.all(chunks.map((path) => request({ url: `${address}${path}`, method: 'HEAD' })));
  const lost = answers.filter(({ status }) => status !== 200).length;
  log(`${tool.name}: ${brokenLoads} of ${loads} page loads broke, ${lost} of ${ASSETS} chunks were lost to open tabs`);
  return { tool: tool.name, brokenShare: (100 * brokenLoads) / loads, lostShare: (100 * lost) / ASSETS };
}

async function letEverybodyRead({ ceph }: Bench, bucket: string): Promise<void> {
  const statement = { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `arn:aws:s3:::${bucket}/*` };
  await bucketClient(ceph, bucket).send(undefined, {
    method: 'PUT',
    query: [['policy', '']],
    body: async () => JSON.stringify({ Version: '2012-10-17', Statement: [statement] }),
    describe: 'PUT POLICY',
  });
}

async function writeSite(folder: string, pages: Readonly<Record<string, string>>): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  for (const [path, text] of Object.entries(pages)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  if (Object.keys(pages).length !== ASSETS + PAGES) throw new Error('the visited site is not whole');
}
