import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar-stream';
import { CommandError, type RunCommand } from '../runner/command.ts';
import type { Environment } from '../runner/commands.ts';
import { ConfigurationError } from '../runner/errors.ts';

/** What of an archive belongs to an OCI image layout; an engine adds Docker's own older files. */
const LAYOUT_FILE = /^(?:oci-layout|index\.json|blobs\/sha256\/[0-9a-f]{64})$/;
/** Layers of 50 GB are saved in less. */
const DEADLINE = 3_600_000;

/**
 * Writes an image of this machine's engine into a folder, as an OCI image layout (`docker save`; Docker 25 and newer write
 * one). Its layers are there as the engine keeps them: compressed in the containerd image store, plain in the older one.
 *
 * Throws ConfigurationError when the engine has no such image, or is too old to write a layout.
 */
export async function saveEngineImage(options: {
  readonly name: string;
  readonly folder: string;
  readonly runCommand: RunCommand;
  readonly environment: Environment;
}): Promise<void> {
  const archive = `${options.folder}.tar`;
  await mkdir(options.folder, { recursive: true });
  try {
    await options.runCommand('docker', ['save', '--output', archive, options.name], {
      env: options.environment,
      deadline: DEADLINE,
    });
    const files = await unpackLayout(archive, options.folder);
    if (!files.has('index.json')) {
      throw new ConfigurationError(
        `this machine's engine writes "${options.name}" in no OCI image layout; Docker 25 is the oldest that does`,
      );
    }
  } catch (cause) {
    if (!(cause instanceof CommandError)) throw cause;
    throw new ConfigurationError(
      `the engine gave no image "${options.name}": ${cause.stderr.trim() || cause.message}`,
      {
        cause,
      },
    );
  } finally {
    await rm(archive, { force: true });
  }
}

/**
 * Writes the files of an image layout in a tar archive, as `docker save` and BuildKit's `type=oci` write one, into a folder
 * and leaves everything else in the archive; the names that were written. Throws the system's error and tar-stream's.
 */
export async function unpackLayout(archive: string, folder: string): Promise<ReadonlySet<string>> {
  const written = new Set<string>();
  await mkdir(folder, { recursive: true });
  const entries = extract();
  entries.on('entry', (header, content, next) => {
    const isWanted = header.type === 'file' && LAYOUT_FILE.test(header.name) && !written.has(header.name);
    if (!isWanted) {
      content.on('end', next).resume();
      return;
    }
    written.add(header.name);
    const path = join(folder, header.name);
    mkdir(dirname(path), { recursive: true })
      .then(() => pipeline(content, createWriteStream(path, { flags: 'wx' })))
      .then(() => next(), next);
  });
  await pipeline(createReadStream(archive), entries);
  return written;
}
