import { describe, expect, it } from 'vitest';
import { formatAttributes, formatDefinition, targetName } from '../../../../src/core/buildkit/bake-definition.ts';

describe('a bake definition', () => {
  it('escapes what bake would take for a template, in values and in names', () => {
    const text = formatDefinition({
      group: { default: { targets: ['app'] } },
      target: { app: { args: { A: '${1+1}', B: '$HOME %{if} $${x}', C: null }, labels: { 'a${b}': 'plain' } } },
    });
    expect(JSON.parse(text)).toEqual({
      group: { default: { targets: ['app'] } },
      target: { app: { args: { A: '$${1+1}', B: '$HOME %%{if} $$${x}', C: null }, labels: { 'a$${b}': 'plain' } } },
    });
  });

  it.each([
    ['web-cpu-linux-amd64', 'web-cpu-linux-amd64'],
    ['web.v2', 'web_v2'],
    ['3d', 'image-3d'],
  ])('names the target of %s as %s', (id, name) => {
    expect(targetName(id)).toBe(name);
  });

  it('quotes attributes that hold a comma, and leaves absent ones out', () => {
    expect(formatAttributes({ type: 'oci', tar: false, dest: '/a,b"c', name: undefined })).toBe(
      'type=oci,tar=false,"dest=/a,b""c"',
    );
  });
});
