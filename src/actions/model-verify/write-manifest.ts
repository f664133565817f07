import { writeFileSync } from 'node:fs';
import { posix } from 'node:path';
import type { JudgedModel } from '../../core/models/judge-models.ts';
import { formatChecksums } from '../../core/models/manifest/checksum-manifest.ts';
import { formatModelsYml } from '../../core/models/manifest/models-yml.ts';
import type { ManifestTarget } from './manifest-target.ts';

/** Writes what is there as `models.yml` or `SHA256SUMS`; what a manifest said beyond that is kept. */
export function writeManifest({ file, folder, isYaml }: ManifestTarget, judged: readonly JudgedModel[]): void {
  const models = judged.map(({ model, expected }) => {
    const told = expected.find(
      ({ url, licence, allow }) => url !== undefined || licence !== undefined || (allow?.length ?? 0) > 0,
    );
    const path = posix.relative(folder, model.path);
    return { ...model, path, url: told?.url, licence: told?.licence, allow: told?.allow };
  });
  writeFileSync(file, isYaml ? formatModelsYml(models) : formatChecksums(models));
}
