import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, lstat, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { runCommand } from '../../../src/core/runner/command.ts';
import { type BaseImageFile, type BaseImageName, baseImages } from './base-image-definitions.ts';
import { serviceCacheFolder } from './cache-folder.ts';
import type { ProgressLog } from './child-process.ts';
import { downloadPackages } from './debian-packages.ts';
import { withLock } from './lock-file.ts';
import { type LayerArchive, type LayoutImage, writeOciLayout } from './oci-layout.ts';
import { pushOciLayout } from './push-oci-layout.ts';

export interface BaseImageOptions {
  readonly registry: { readonly host: string };
  readonly auth?: { readonly username: string; readonly password: string };
  /** Which image goes where: `{ name: 'python', as: 'library/python:3.10-slim' }`. */
  readonly images: readonly { readonly name: BaseImageName; readonly as: string }[];
  readonly cache?: string;
  readonly log: ProgressLog;
}

export interface PublishedImage {
  readonly name: BaseImageName;
  /** `127.0.0.1:PORT/REPOSITORY:TAG` */
  readonly reference: string;
  readonly digest: string;
  /** Bytes of all its compressed layers and its configuration. */
  readonly size: number;
}

const layoutVersion = 1;

/**
 * Pushes small, real base images to a registry, without any hub: Debian packages of this machine's release with all
 * they depend on, extracted, busybox for the tools they lack. Neither an engine nor root is needed. Kept as OCI
 * layouts in the cache: the same packages give the same digests, and a second run only pushes.
 */
export async function publishBaseImages(options: BaseImageOptions): Promise<PublishedImage[]> {
  const { registry, auth, log, cache = serviceCacheFolder() } = options;
  const published: PublishedImage[] = [];
  for (const { name, as } of options.images) {
    const began = performance.now();
    const { folder, image } = await makeBaseImage(name, cache, log);
    const [repository = '', tag = 'latest'] = as.split(':');
    await pushOciLayout(folder, image, {
      host: registry.host,
      repository,
      tag,
      ...(auth === undefined ? {} : { auth }),
    });
    const size = image.blobs.reduce((sum, blob) => sum + blob.size, 0);
    const reference = `${registry.host}/${repository}:${tag}`;
    log(`${reference}: ${(size / 1e6).toFixed(1)} MB in ${((performance.now() - began) / 1000).toFixed(1)} s`);
    published.push({ name, reference, digest: image.manifest.digest, size });
  }
  return published;
}

async function makeBaseImage(
  name: BaseImageName,
  cache: string,
  log: ProgressLog,
): Promise<{ folder: string; image: LayoutImage }> {
  const definition = baseImages[name];
  const packages = await downloadPackages({ suite: 'host', packages: definition.packages, closure: true, cache, log });
  const key = createHash('sha256')
    .update(JSON.stringify([layoutVersion, packages.archives, definition]))
    .digest('hex');
  const folder = path.join(cache, 'images', `${name}-${key.slice(0, 16)}`);
  const record = path.join(folder, 'image.json');
  await withLock(`${folder}.lock`, async () => {
    if ((await lstat(record).catch(() => undefined)) !== undefined) return;
    log(`making the base image ${name} of ${packages.archives.length} packages`);
    const partial = `${folder}.partial`;
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { recursive: true });
    const overlay = await mkdtemp(path.join(tmpdir(), 'slipway-image-'));
    try {
      await chmod(overlay, 0o755);
      await writeOverlay(overlay, packages.folder, definition.files);
      const layers = [await archive(packages.folder, partial, 'packages'), await archive(overlay, partial, 'files')];
      const image = await writeOciLayout(partial, layers, definition);
      for (const { tar } of layers) await rm(tar);
      await writeFile(path.join(partial, 'image.json'), JSON.stringify(image));
    } finally {
      await rm(overlay, { recursive: true, force: true });
    }
    await rename(partial, folder);
  });
  const image: LayoutImage = JSON.parse(await readFile(record, 'utf8'));
  return { folder, image };
}

/** What the packages do not hold: standard folders, accounts and other files, and busybox under the names still free. */
async function writeOverlay(overlay: string, root: string, files: readonly BaseImageFile[]): Promise<void> {
  for (const [folder, mode] of standardFolders) {
    await mkdir(path.join(overlay, folder), { recursive: true });
    await chmod(path.join(overlay, folder), mode);
  }
  for (const file of files) {
    const place = path.join(overlay, file.path);
    await mkdir(path.dirname(place), { recursive: true });
    if ('target' in file) await symlink(file.target, place);
    else {
      await writeFile(place, file.content);
      await chmod(place, file.mode);
    }
  }
  const applets = await runCommand(path.join(root, 'usr/bin/busybox'), ['--list-full']);
  for (const applet of applets.stdout.split('\n').filter((line) => line !== '')) {
    const name = path.basename(applet);
    const isTaken = await Promise.all(
      [root, overlay].flatMap((base) =>
        ['usr/bin', 'usr/sbin'].map(
          async (folder) => await lstat(path.join(base, folder, name)).catch(() => undefined),
        ),
      ),
    );
    if (isTaken.some((found) => found !== undefined)) continue;
    const folder = path.join(overlay, applet.includes('sbin/') ? 'usr/sbin' : 'usr/bin');
    await mkdir(folder, { recursive: true });
    await symlink('/usr/bin/busybox', path.join(folder, name));
  }
}

const standardFolders: readonly (readonly [string, number])[] = [
  ['dev', 0o755],
  ['etc', 0o755],
  ['home', 0o755],
  ['proc', 0o755],
  ['root', 0o700],
  ['run', 0o755],
  ['sys', 0o755],
  ['tmp', 0o1777],
  ['var', 0o755],
  ['var/log', 0o755],
  ['var/tmp', 0o1777],
];

/** Packs a folder reproducibly, without what an image does not need at run time. */
async function archive(folder: string, target: string, name: string): Promise<LayerArchive> {
  const tar = path.join(target, `${name}.tar`);
  const gzip = `${tar}.gz`;
  const unneeded = ['doc', 'doc-base', 'info', 'lintian', 'locale', 'man'].map(
    (part) => `--exclude=./usr/share/${part}/*`,
  );
  const reproducible = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--format=gnu'];
  await runCommand('tar', ['-cf', tar, ...reproducible, ...unneeded, '-C', folder, '.']);
  await pipeline(createReadStream(tar), createGzip({ level: 1 }), createWriteStream(gzip));
  return { tar, gzip };
}
