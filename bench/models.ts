import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { type Figure, median } from './figure.ts';

const root = join(import.meta.dirname, '..');
const bundle = join(root, 'dist/model-verify/index.js');
const RUNS = 2;
const MB = 1024 * 1024;

/**
 * model-verify on large and on many files, beside `openssl dgst -sha256` and `node -e 0` in the same run. Each pair runs
 * in turn, after one run that warms the page cache. Files are sparse: what is measured is reading and hashing, not a disk.
 */
export async function measureModels(): Promise<readonly Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-bench-models-'));
  try {
    return [
      ...againstOpenssl(folder, '1 × 2 GiB', 1, 2048 * MB),
      ...againstOpenssl(folder, '8 × 256 MiB', 8, 256 * MB),
      againstNode(folder, 'a pickle of 560,000 instructions', (at) =>
        writeFileSync(join(at, 'a.pkl'), largePickle(560_000)),
      ),
      ...againstGenops(folder),
      againstNode(folder, '500 small pickles', (at) => {
        for (let index = 0; index < 500; index += 1) writeFileSync(join(at, `${index}.pkl`), largePickle(100));
      }),
      againstNode(folder, 'a PyTorch zip of 1 GiB', (at) => writeTorchZip(join(at, 'a.pt'), 1024 * MB)),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function againstOpenssl(folder: string, name: string, count: number, size: number): readonly Figure[] {
  const at = freshFolder(folder);
  const files = Array.from({ length: count }, (_, index) => join(at, `${index}.npy`));
  for (const file of files) writeArray(file, size);
  const pairs = Array.from({ length: RUNS + 1 }, () => ({
    ours: measure(at, process.execPath, [bundle]),
    theirs: measure(at, 'openssl', ['dgst', '-sha256', ...files]),
  })).slice(1);
  const compare = (what: 'cpu' | 'wall'): Figure => ({
    name: `model-verify of ${name}, scan included (${what})`,
    value: median(pairs.map(({ ours }) => ours[what])),
    unit: 's',
    against: { name: 'openssl dgst -sha256', value: median(pairs.map(({ theirs }) => theirs[what])) },
  });
  const peak = Math.max(...pairs.map(({ ours }) => ours.peak)) / 1e6;
  return [
    compare('wall'),
    compare('cpu'),
    { name: `model-verify of ${name}, peak memory`, value: peak, unit: 'MB', against: { name: 'limit', value: 256 } },
  ];
}

function againstNode(folder: string, name: string, prepare: (at: string) => void): Figure {
  const at = freshFolder(folder);
  prepare(at);
  const pairs = Array.from({ length: RUNS + 1 }, () => ({
    ours: measure(at, process.execPath, [bundle]),
    bare: measure(at, process.execPath, ['-e', '0']),
  })).slice(1);
  return {
    name: `model-verify of ${name} (cpu)`,
    value: median(pairs.map(({ ours }) => ours.cpu)),
    unit: 's',
    against: { name: 'node -e 0', value: median(pairs.map(({ bare }) => bare.cpu)) },
  };
}

/**
 * The same pickle beside Python's own reader of opcodes, on which picklescan is built, where the machine has Python: its
 * time is a lower bound of picklescan's, which keeps every opcode and looks at them after that. The limit is a quarter
 * of picklescan's time.
 */
function againstGenops(folder: string): readonly Figure[] {
  if (spawnSync('python3', ['-c', 'pass']).status !== 0) return [];
  const at = freshFolder(folder);
  const file = join(at, 'a.pkl');
  writeFileSync(file, largePickle(560_000));
  const walk = 'import pickletools, sys\nfor _ in pickletools.genops(open(sys.argv[1], "rb")): pass';
  const pairs = Array.from({ length: RUNS + 1 }, () => ({
    ours: measure(at, process.execPath, [bundle]),
    theirs: measure(at, 'python3', ['-c', walk, file]),
  })).slice(1);
  return [
    {
      name: 'model-verify of a pickle of 560,000 instructions, whole step (cpu)',
      value: median(pairs.map(({ ours }) => ours.cpu)),
      unit: 's',
      against: { name: 'python pickletools.genops', value: median(pairs.map(({ theirs }) => theirs.cpu)) },
    },
  ];
}

interface Cost {
  readonly wall: number;
  readonly cpu: number;
  /** Bytes. */
  readonly peak: number;
}

/** Seconds and largest resident size of a process, as the kernel counts them for GNU time (Debian's package `time`). */
function measure(workspace: string, file: string, args: readonly string[]): Cost {
  const temp = join(workspace, '..');
  const { stderr } = spawnSync('/usr/bin/time', ['-q', '-f', 'COST %e %U %S %M', file, ...args], {
    encoding: 'utf8',
    maxBuffer: 64 * MB,
    env: {
      PATH: process.env['PATH'],
      GITHUB_WORKSPACE: workspace,
      RUNNER_TEMP: temp,
      GITHUB_OUTPUT: join(temp, 'output'),
      INPUT_MODELS: '*',
      INPUT_SCAN: 'error',
      INPUT_FETCH: 'never',
      INPUT_PLATFORM: 'linux/amd64',
      INPUT_CONCURRENCY: '0',
      'INPUT_FETCH-TIMEOUT': '1m',
      'INPUT_SCAN-TIMEOUT': '10m',
    },
  });
  const [, wall, user, system, kilobytes] = /COST (\S+) (\S+) (\S+) (\d+)/.exec(stderr) ?? [];
  if (kilobytes === undefined) throw new Error(`GNU time said: ${stderr.slice(-300)}`);
  return { wall: Number(wall), cpu: Number(user) + Number(system), peak: Number(kilobytes) * 1024 };
}

/** An empty folder; the ones before it are gone, so that the files of two measures never stand there together. */
function freshFolder(folder: string): string {
  const at = join(folder, 'workspace');
  rmSync(at, { recursive: true, force: true });
  mkdirSync(at);
  writeFileSync(join(folder, 'output'), '');
  return at;
}

/** A `.npy` of so many zeros. */
function writeArray(file: string, size: number): void {
  const text = `{'descr': '|u1', 'fortran_order': False, 'shape': (${size},), }`;
  const header = Buffer.from(`\x93NUMPY\x01\x00\x76\x00${text.padEnd(117)}\n`, 'latin1');
  writeSparse(file, header, size, Buffer.alloc(0));
}

function writeSparse(file: string, head: Buffer, zeros: number, tail: Buffer): void {
  const descriptor = openSync(file, 'w');
  writeSync(descriptor, head);
  ftruncateSync(descriptor, head.length + zeros);
  writeSync(descriptor, tail, 0, tail.length, head.length + zeros);
  closeSync(descriptor);
}

/** A list of small tuples of texts and numbers: four instructions an entry. */
function largePickle(instructions: number): Buffer {
  const entry = Buffer.from('X\x05\0\0\0helloK\x07\x86a', 'latin1');
  return Buffer.concat([
    Buffer.from('\x80\x02]', 'latin1'),
    ...Array.from({ length: instructions / 4 }, () => entry),
    Buffer.from('.'),
  ]);
}

/** A PyTorch zip with one storage of so many zeros, stored. */
function writeTorchZip(file: string, size: number): void {
  const pickle = Buffer.from('\x80\x02ccollections\nOrderedDict\n)R.', 'latin1');
  const zeros = Buffer.alloc(MB);
  let crc = 0;
  for (let done = 0; done < size; done += MB) crc = crc32(zeros, crc);
  const entries = [
    { name: 'm/data.pkl', size: pickle.length, crc: crc32(pickle) },
    { name: 'm/data/0', size, crc },
  ];
  const headers = entries.map(({ name, size: length, crc: sum }) => {
    const header = Buffer.alloc(26);
    header.writeUInt16LE(20, 0);
    header.writeUInt32LE(sum, 10);
    header.writeUInt32LE(length, 14);
    header.writeUInt32LE(length, 18);
    header.writeUInt16LE(name.length, 22);
    return Buffer.concat([header, Buffer.from(name)]);
  });
  const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = headers;
  const local = (header: Buffer): Buffer => Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), header]);
  const head = Buffer.concat([local(first), pickle, local(second)]);
  const offsets = [0, local(first).length + pickle.length];
  const directory = headers.map((header, index) => {
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offsets[index] ?? 0, 10);
    return Buffer.concat([
      Buffer.from('PK\x01\x02\x14\x00', 'latin1'),
      header.subarray(0, 26),
      tail,
      header.subarray(26),
    ]);
  });
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(2, 8);
  end.writeUInt16LE(2, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(head.length + size, 16);
  writeSparse(file, head, size, Buffer.concat([central, end]));
}
