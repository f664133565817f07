import path from 'node:path';

const repository = path.resolve(import.meta.dirname, '../../..');

/** Where downloaded packages, base images and chroots are kept between runs: `SLIPWAY_CACHE`, else `<repository>/.cache/services`. */
export function serviceCacheFolder(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  const chosen = environment['SLIPWAY_CACHE'];
  return chosen === undefined || chosen === '' ? path.join(repository, '.cache/services') : path.resolve(chosen);
}
