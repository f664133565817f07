import { fieldOf } from '../runner/event.ts';

/** What an attestation speaks of: a repository's name and a manifest's digest in it. */
export interface Subject {
  /** `ghcr.io/acme/app`, without tag and digest. */
  readonly name: string;
  /** `sha256:…`. */
  readonly digest: string;
}

export const PROVENANCE_TYPE = 'https://slsa.dev/provenance/v1';
const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
const BUILD_TYPE = 'https://actions.github.io/buildtypes/workflow/v1';

/** The claims of a GitHub job's identity token that a provenance is made of. */
export interface JobClaims {
  readonly subject: string;
  /** `owner/name`. */
  readonly repository: string;
  readonly repositoryId: string;
  readonly ownerId: string;
  readonly isPublic: boolean;
  readonly ref: string;
  readonly commit: string;
  readonly event: string;
  /** `owner/name/.github/workflows/release.yml@refs/heads/main`: of the workflow that was started. */
  readonly workflow: string;
  /** The same of the one that the job is written in, which differs for reusable workflows. */
  readonly jobWorkflow: string;
  readonly runId: string;
  readonly runAttempt: string;
  readonly runnerEnvironment: string;
}

/**
 * The claims of a GitHub identity token, without verifying it: Fulcio does, and puts them into the certificate. Throws
 * Error for what is no such token.
 */
export function readJobClaims(token: string): JobClaims {
  const payload: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
  const claim = (name: string): string => {
    const value = fieldOf(payload, name);
    if (typeof value === 'string') return value;
    throw new Error(`the job's identity token has no claim "${name}"`);
  };
  return {
    subject: claim('sub'),
    repository: claim('repository'),
    repositoryId: claim('repository_id'),
    ownerId: claim('repository_owner_id'),
    isPublic: claim('repository_visibility') === 'public',
    ref: claim('ref'),
    commit: claim('sha'),
    event: claim('event_name'),
    workflow: claim('workflow_ref'),
    jobWorkflow: claim('job_workflow_ref'),
    runId: claim('run_id'),
    runAttempt: claim('run_attempt'),
    runnerEnvironment: claim('runner_environment'),
  };
}

/**
 * An in-toto statement with SLSA provenance of a GitHub workflow, as actions/attest-build-provenance writes it, so that
 * `gh attestation verify` reads both.
 *
 * Source: slsa.dev/spec/v1.0/provenance; actions.github.io/buildtypes/workflow/v1. `serverUrl` has no slash at its end.
 */
export function provenanceStatement(subjects: readonly Subject[], claims: JobClaims, serverUrl: string): object {
  const repository = `${serverUrl}/${claims.repository}`;
  const [path = '', ref = ''] = claims.workflow.replace(`${claims.repository}/`, '').split('@');
  return {
    _type: STATEMENT_TYPE,
    subject: subjects.map(({ name, digest }) => {
      const [algorithm = '', encoded = ''] = digest.split(':');
      return { name, digest: { [algorithm]: encoded } };
    }),
    predicateType: PROVENANCE_TYPE,
    predicate: {
      buildDefinition: {
        buildType: BUILD_TYPE,
        externalParameters: { workflow: { ref, repository, path } },
        internalParameters: {
          github: {
            event_name: claims.event,
            repository_id: claims.repositoryId,
            repository_owner_id: claims.ownerId,
            runner_environment: claims.runnerEnvironment,
          },
        },
        resolvedDependencies: [{ uri: `git+${repository}@${claims.ref}`, digest: { gitCommit: claims.commit } }],
      },
      runDetails: {
        builder: { id: `${serverUrl}/${claims.jobWorkflow}` },
        metadata: { invocationId: `${repository}/actions/runs/${claims.runId}/attempts/${claims.runAttempt}` },
      },
    },
  };
}
