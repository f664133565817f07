import { describe, expect, it } from 'vitest';
import { argumentsLikeSecrets, planSecrets, type SecretInputs } from '../../../../src/core/buildkit/build-secrets.ts';

const inputs: SecretInputs = {
  secrets: new Map(),
  secretEnvs: new Map(),
  secretFiles: new Map(),
  folder: '/private',
  environment: { NPM: 'x' },
};

describe('the secrets of a build', () => {
  it('stand in the definition by name only', () => {
    const planned = planSecrets({
      ...inputs,
      secrets: new Map([['npm', 'hunter2']]),
      secretEnvs: new Map([['pip', 'NPM']]),
      secretFiles: new Map([['key', 'a,b.pem']]),
    });
    expect(planned.entries).toEqual(['id=npm,env=SLIPWAY_SECRET_1', 'id=pip,env=NPM', 'id=key,"src=a,b.pem"']);
    expect(JSON.stringify(planned.entries)).not.toContain('hunter2');
    expect(planned.environment).toEqual(new Map([['SLIPWAY_SECRET_1', 'hunter2']]));
  });

  it('go by file where an environment cannot hold them', () => {
    const planned = planSecrets({ ...inputs, secrets: new Map([['big', 'x'.repeat(100_001)]]) });
    expect(planned.entries).toEqual(['id=big,src=/private/SLIPWAY_SECRET_1']);
    expect([...planned.files.keys()]).toEqual(['SLIPWAY_SECRET_1']);
  });

  it.each([
    ['an id with a comma', { secrets: new Map([['a,b', 'x']]) }],
    ['a variable that is not set', { secretEnvs: new Map([['a', 'NONE']]) }],
    ['more than BuildKit takes', { secrets: new Map([['a', 'x'.repeat(500_001)]]) }],
  ])('are refused with %s', (_, change) => {
    expect(() => planSecrets({ ...inputs, ...change })).toThrow(/secret/);
  });

  it('are suspected in arguments by their names', () => {
    expect(argumentsLikeSecrets(['NPM_TOKEN', 'VERSION', 'api_key', 'TOKENIZER', 'PYTHON_VERSION'])).toEqual([
      'NPM_TOKEN',
      'api_key',
    ]);
  });
});
