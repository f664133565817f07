/**
 * The one entry of the bundle. Each folder of `dist/` holds a stub of two lines that calls `start` with its name;
 * everything the actions share is then bundled once (3.8 MB in place of 11 MB), and an action loads its own chunk.
 */
const actions = {
  'build-matrix': () => import('./actions/build-matrix/main.ts'),
  'multistage-build': () => import('./actions/multistage-build/main.ts'),
  'metadata-tags': () => import('./actions/metadata-tags/main.ts'),
  'ghcr-publish': () => import('./actions/ghcr-publish/main.ts'),
  'frontend-s3-deploy': () => import('./actions/frontend-s3-deploy/main.ts'),
  'model-verify': () => import('./actions/model-verify/main.ts'),
} as const;

export type ActionName = keyof typeof actions;

/** Runs the action of this name inside GitHub's runner. */
export async function start(name: ActionName): Promise<void> {
  const { start: run } = await actions[name]();
  await run();
}
