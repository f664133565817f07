import type { OutputsOf } from '../../core/runner/contract.ts';
import type { Deployed } from '../../core/site/deploy-site.ts';
import { manifestKey } from '../../core/site/release-manifest.ts';
import type { contract } from './contract.ts';
import { totalBytes } from './summary.ts';

/** GitHub takes 1 MB of outputs of a job: lists are cut, counts are whole. */
const MAX_LISTED = 1000;

export function outputsOf(
  { plan, deleted, manifest }: Deployed,
  target: { readonly bucket: string; readonly prefix: string },
): OutputsOf<typeof contract> {
  const writes = plan.groups.flat();
  const pathsOf = (kind: 'upload' | 'copy') => writes.filter((write) => write.kind === kind).map(({ path }) => path);
  const lists = { upload: pathsOf('upload'), copy: pathsOf('copy'), delete: plan.deletes };
  return {
    uploaded: writes.length,
    unchanged: plan.unchanged.length,
    deleted: deleted.length,
    bytes: plan.bytes,
    release: plan.release.id,
    plan: {
      release: plan.release.id,
      counts: {
        upload: lists.upload.length,
        copy: lists.copy.length,
        delete: lists.delete.length,
        unchanged: plan.unchanged.length,
      },
      upload: lists.upload.slice(0, MAX_LISTED),
      copy: lists.copy.slice(0, MAX_LISTED),
      delete: lists.delete.slice(0, MAX_LISTED),
    },
    manifest: {
      bucket: target.bucket,
      key: manifestKey(target.prefix),
      releases: manifest.releases.map(({ id, commit, time }) => ({ id, commit, time })),
      bytes: totalBytes(manifest.objects.values()),
    },
  };
}
