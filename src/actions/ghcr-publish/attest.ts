import { createAttestationStore } from '../../core/attest/attestation-api.ts';
import { PROVENANCE_TYPE, provenanceStatement, readJobClaims } from '../../core/attest/provenance.ts';
import { signStatement } from '../../core/attest/sign-statement.ts';
import { githubInstance, readInstance, type SigstoreInstance } from '../../core/attest/sigstore-instance.ts';
import { requestIdentityToken } from '../../core/oidc/identity-token.ts';
import { formatRepository, type Repository } from '../../core/registry/reference.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';
import type { ActionContext } from '../../core/runner/run-action.ts';
import type { PublishInputs } from './contract.ts';

type AttestInputs = Pick<PublishInputs, 'attest' | 'sigstore' | 'promote' | 'dryRun' | 'githubToken'>;
type AttestContext = Pick<ActionContext, 'environment' | 'event' | 'log'>;

/** What is attested: the digest that was published, and the repositories that hold it. */
export interface Attestable {
  readonly digest: string;
  readonly repositories: readonly Repository[];
}

export interface AttestationPlan {
  /** The user's own instance; undefined for GitHub's, by who may read the repository. */
  readonly instance: SigstoreInstance | undefined;
}

/**
 * How to sign, or undefined for no attestation. `auto` attests what is published for a release; nothing that is
 * promoted, because the run that built it is its provenance. Throws ConfigurationError when it is wanted and the job may
 * not.
 */
export function planAttestation(
  inputs: AttestInputs,
  { environment, event, log }: AttestContext,
): AttestationPlan | undefined {
  const instance = readInstance(inputs.sigstore);
  if (inputs.dryRun || inputs.attest === 'false') return undefined;
  if (inputs.attest === 'auto' && event.name !== 'release') return undefined;
  if (inputs.promote.some((line) => line.trim() !== '')) {
    log.info('attest: what is promoted has its provenance from the run that built it');
    return undefined;
  }
  if ((environment['ACTIONS_ID_TOKEN_REQUEST_URL'] ?? '') === '') {
    const missing =
      'provenance needs "permissions: { id-token: write, attestations: write }" of the job, which a pull request from a fork never gets';
    if (inputs.attest === 'true') throw new ConfigurationError(`"attest: true": ${missing}`);
    log.notice(`no provenance was made: ${missing}`);
    return undefined;
  }
  return { instance };
}

/** Signs and stores the provenance of what has none yet; `onStored` is told the address of each. */
export async function attest(
  plan: AttestationPlan,
  attestables: readonly Attestable[],
  inputs: AttestInputs,
  { environment, event, log }: AttestContext,
  onStored: (url: string) => void,
): Promise<void> {
  const store = createAttestationStore(event, inputs.githubToken, log);
  for (const { digest, repositories } of attestables) {
    // A run that was cut off after this step runs again: one provenance is enough.
    if (await store.has(digest, PROVENANCE_TYPE)) {
      log.info(`${digest} has its provenance already`);
      continue;
    }
    // Tokens live five minutes, and many images take longer.
    const token = await requestIdentityToken(environment, { audience: 'sigstore', neededBy: '"attest"' }, log);
    const claims = readJobClaims(token);
    const instance = plan.instance ?? githubInstance(claims.isPublic, event.serverUrl);
    const subjects = repositories.map((repository) => ({ name: formatRepository(repository), digest }));
    const statement = provenanceStatement(subjects, claims, event.serverUrl);
    const url = await store.save(await signStatement({ statement, instance, token, claims, log }));
    log.info(`the provenance of ${digest} is at ${url}`);
    onStored(url);
  }
}
