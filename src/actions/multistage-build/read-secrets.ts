import { type BuildSecrets, planSecrets } from '../../core/buildkit/build-secrets.ts';
import { parseEntries, parsePairs } from '../../core/buildkit/csv-records.ts';
import { inInput } from '../../core/runner/inputs.ts';
import type { BuildInputs } from './contract.ts';
import type { BuildFacts } from './plan.ts';

/** The secrets of the inputs, and the token with which BuildKit fetches the default context. */
export function readSecrets(inputs: BuildInputs, { event, environment, folder }: BuildFacts): BuildSecrets {
  const secrets = new Map(inInput('secrets', () => parsePairs(parseEntries(inputs.secrets), 'id=value')));
  const usesDefaultContext =
    inputs.image === undefined && (inputs.context === undefined || inputs.context.includes('defaultContext'));
  const host = URL.canParse(event.serverUrl) ? new URL(event.serverUrl).host : 'github.com';
  const tokenId = `GIT_AUTH_TOKEN.${host}`;
  const hasOwnToken = [...secrets.keys()].some((id) => id.startsWith('GIT_AUTH_TOKEN'));
  if (usesDefaultContext && !hasOwnToken && (inputs.githubToken ?? '') !== '') secrets.set(tokenId, inputs.githubToken);
  return planSecrets({
    secrets,
    secretEnvs: inInput('secret-envs', () => parsePairs(inputs.secretEnvs, 'id=VARIABLE')),
    secretFiles: inInput('secret-files', () => parsePairs(inputs.secretFiles, 'id=path')),
    folder,
    environment,
  });
}
