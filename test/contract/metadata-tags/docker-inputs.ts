/**
 * Inputs as workflows have them, each given with every event of test/harness/github-events.ts.
 *
 * fixtures/docker-metadata-action.json holds what docker/metadata-action v6.2 answers to them: its published rules
 * (src/meta.ts, tag.ts, flavor.ts) followed step by step, with the libraries it uses for CSV, templates, versions and
 * dates. It holds tags alone, between blanks, in their order.
 */
export const inputSets: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "docker's own rules": { tags: 'type=schedule\ntype=ref,event=branch\ntype=ref,event=tag\ntype=ref,event=pr' },
  'of its README': {
    tags: `
      type=schedule
      type=ref,event=branch
      type=ref,event=pr
      type=semver,pattern={{version}}
      type=semver,pattern={{major}}.{{minor}}
      type=semver,pattern={{major}}
      type=sha
    `,
  },
  'semver, raw': { tags: 'type=semver,pattern={{raw}}\ntype=semver,pattern={{major}}' },
  'semver, around the pattern': { tags: 'type=semver,pattern=v{{version}}-x' },
  'semver, unless 0.x': {
    tags: 'type=semver,pattern={{version}}\ntype=semver,pattern={{major}},enable=true\ntype=raw,value=rc,enable=false',
  },
  'semver with a value': { tags: 'type=semver,pattern={{major}}.{{minor}},value=v3.4.5' },
  'semver with a match': { tags: 'type=semver,pattern={{version}},match=^app-(.+)$\ntype=ref,event=tag,priority=10' },
  pep440: {
    tags: 'type=pep440,pattern={{version}}\ntype=pep440,pattern={{major}}.{{minor}}\ntype=pep440,pattern={{raw}}',
  },
  match: { tags: 'type=match,pattern=\\d+\\.\\d+\ntype=match,pattern=v?(\\d+)\\..*,group=1' },
  'match as /pattern/flags': { tags: 'type=match,pattern=/^V(\\d+)/i,group=1' },
  'match with a value': { tags: 'type=match,pattern=\\w+$,value=refs/{{branch}}/end' },
  'match of a group that is missing': { tags: 'type=match,pattern=v(\\d),group=2\ntype=sha' },
  edge: { tags: 'type=edge\ntype=edge,branch=dev\ntype=edge,branch=feature/login,prefix=x-' },
  'ref with other prefixes': {
    tags: 'type=ref,event=branch,prefix=b-\ntype=ref,event=tag,suffix=-t\ntype=ref,event=pr,prefix=',
  },
  'pull request with a commit': { tags: 'type=ref,event=pr,suffix=-{{sha}}' },
  sha: { tags: 'type=sha\ntype=sha,format=long,prefix=\ntype=sha,prefix=git.,suffix=.x' },
  raw: { tags: 'one\ntype=raw,two\ntype=raw,value=three four\nvalue=five' },
  priorities: { tags: 'type=sha,priority=2000\ntype=raw,value=x,priority=700.5\ntype=edge\ntype=ref,event=branch' },
  expressions: { tags: 'type=raw,value={{branch}}_{{tag}}_{{base_ref}}_{{sha}}' },
  'the default branch': {
    tags: 'type=raw,value=latest,enable={{is_default_branch}}\ntype=raw,value=other,enable={{is_not_default_branch}}',
    flavor: 'latest=false',
  },
  'the date of the commit': {
    tags: "type=raw,value={{commit_date 'YYYYMMDD-HHmm' tz='Europe/Berlin'}},enable={{is_default_branch}}",
  },
  'a date in a schedule': { tags: "type=schedule,pattern={{commit_date '[night-]YYYYMMDD'}}\ntype=sha" },
  'latest=true': { tags: 'type=ref,event=branch\ntype=ref,event=tag\ntype=ref,event=pr', flavor: 'latest=true' },
  'latest=false': { tags: 'type=semver,pattern={{version}}\ntype=ref,event=tag', flavor: 'latest=false' },
  'a prefix and a suffix': {
    tags: 'type=ref,event=branch\ntype=semver,pattern={{version}}\ntype=ref,event=pr\ntype=sha',
    flavor: 'prefix=pre-\nsuffix=-alpine',
  },
  'a prefix and a suffix on latest': {
    tags: 'type=semver,pattern={{version}},prefix=\ntype=ref,event=tag',
    flavor: 'latest=auto\nprefix=pre-,onlatest=true\nsuffix=-alpine,onlatest=true',
  },
  'a suffix that is an expression': { tags: 'type=ref,event=branch\ntype=edge', flavor: 'suffix=-{{sha}}' },
  comments: { tags: '# the branch\ntype=ref,event=branch\n\n# and the commit\ntype=sha' },
  'quoted records': { tags: '"type=ref,event=branch"\n"type=sha"' },
  'attributes in capitals': { tags: 'TYPE=ref,Event=branch\nType=sha,PREFIX=s-' },
  'more than one equals sign': { tags: 'type=raw,value=a=b\ntype=sha,suffix=-x=y' },
};
