import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { enterRoot, FOLDER_INSIDE, rootEnvironment } from '../../test/harness/services/package-root.ts';

export interface Store {
  /** As the tools reach it: a distance away. */
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** A command that brings a folder into a bucket. */
export interface Tool {
  readonly name: string;
  command(folder: string, bucket: string): Command;
}

interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface Run {
  /** Of the whole process, its start included. */
  readonly seconds: number;
  /** Of the processor, user and system: what a busy machine leaves as it is. */
  readonly cpuSeconds: number;
  /** Peak of resident memory. */
  readonly megabytes: number;
}

/** This action's bundle, as the runner starts it, with further inputs as `INPUT_NAME`. */
export function slipway(store: Store, temp: string, inputs: Readonly<Record<string, string>> = {}): Tool {
  const bundle = join(import.meta.dirname, '../../dist/frontend-s3-deploy/index.js');
  const [output, summary] = [join(temp, 'output'), join(temp, 'summary')];
  for (const file of [output, summary]) writeFileSync(file, '');
  return {
    name: 'frontend-s3-deploy',
    command: (folder, bucket) => ({
      file: process.execPath,
      args: [bundle],
      env: {
        PATH: process.env['PATH'] ?? '',
        RUNNER_TEMP: temp,
        GITHUB_WORKSPACE: folder,
        GITHUB_OUTPUT: output,
        GITHUB_STEP_SUMMARY: summary,
        GITHUB_SHA: '0123456789abcdef',
        AWS_ACCESS_KEY_ID: store.accessKeyId,
        AWS_SECRET_ACCESS_KEY: store.secretAccessKey,
        INPUT_SOURCE: folder,
        INPUT_BUCKET: bucket,
        INPUT_ENDPOINT: store.endpoint,
        ...inputs,
      },
    }),
  };
}

/** `aws s3 sync` with its defaults and further options, out of Debian's package. */
export function awsCli(store: Store, root: string, options: readonly string[] = []): Tool {
  return {
    name: ['aws s3 sync', ...options].join(' '),
    command: (folder, bucket) => {
      const words = ['aws', '--endpoint-url', store.endpoint, 's3', 'sync', FOLDER_INSIDE, `s3://${bucket}`];
      return packaged(root, folder, [...words, '--only-show-errors', ...options], {
        AWS_ACCESS_KEY_ID: store.accessKeyId,
        AWS_SECRET_ACCESS_KEY: store.secretAccessKey,
        AWS_DEFAULT_REGION: 'us-east-1',
        AWS_EC2_METADATA_DISABLED: 'true',
      });
    },
  };
}

/** rclone, told to compare by content and to use what bandwidth there is, out of Debian's package. */
export function rclone(store: Store, root: string): Tool {
  return {
    name: 'rclone sync',
    command: (folder, bucket) => {
      const words = ['rclone', 'sync', FOLDER_INSIDE, `store:${bucket}`, '--checksum', '--fast-list'];
      return packaged(root, folder, [...words, '--transfers', '32', '--checkers', '32'], {
        RCLONE_CONFIG_STORE_TYPE: 's3',
        RCLONE_CONFIG_STORE_PROVIDER: 'Ceph',
        RCLONE_CONFIG_STORE_ENDPOINT: store.endpoint,
        RCLONE_CONFIG_STORE_ACCESS_KEY_ID: store.accessKeyId,
        RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY: store.secretAccessKey,
      });
    },
  };
}

function packaged(
  root: string,
  folder: string,
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): Command {
  return { file: 'unshare', args: enterRoot({ root, folder }, words), env: { ...rootEnvironment, ...env } };
}

/** Runs a tool to its end. Throws with what it printed when it failed. */
export async function runTool(tool: Tool, folder: string, bucket: string): Promise<Run> {
  const { file, args, env } = tool.command(folder, bucket);
  const began = performance.now();
  const child = spawn(file, args, { env: { ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  let seen: Pick<Run, 'cpuSeconds' | 'megabytes'> = { cpuSeconds: 0, megabytes: 0 };
  // Both only grow: the last look before the end is the whole, but for a few milliseconds.
  const looking = setInterval(async () => {
    seen = (await usageOf(child.pid ?? 0)) ?? seen;
  }, 20);
  const code = await new Promise((resolve) => child.once('close', resolve));
  clearInterval(looking);
  if (code !== 0) throw new Error(`${tool.name} ended with ${String(code)}:\n${output}`);
  return { seconds: (performance.now() - began) / 1000, ...seen };
}

/** proc(5): the high-water mark of memory in kB, and user and system time in ticks of 10 ms; undefined after the end. */
async function usageOf(pid: number): Promise<Pick<Run, 'cpuSeconds' | 'megabytes'> | undefined> {
  const [status, stat] = await Promise.all(
    ['status', 'stat'].map((name) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '')),
  );
  const peak = /^VmHWM:\s+(\d+)/m.exec(status ?? '')?.[1];
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
  const ticks = Number(fields[11]) + Number(fields[12]);
  return peak === undefined || Number.isNaN(ticks)
    ? undefined
    : { megabytes: Number(peak) / 1024, cpuSeconds: ticks / 100 };
}
