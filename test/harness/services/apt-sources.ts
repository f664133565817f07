/** One line of sources.list(5), or one combination out of a deb822 stanza. */
export interface AptSource {
  readonly uri: string;
  readonly suite: string;
  readonly components: readonly string[];
  /** The value of `Signed-By`: key files, or a key itself over several lines. */
  readonly signedBy: string | undefined;
}

/** The distribution this machine runs, of os-release(5). */
export interface Distribution {
  readonly id: string;
  readonly idLike: readonly string[];
  readonly codename: string;
}

/** Reads os-release(5); undefined when it names no codename, as on distributions without apt. */
export function parseDistribution(osRelease: string): Distribution | undefined {
  const values = new Map<string, string>();
  for (const line of osRelease.split('\n')) {
    const match = /^([A-Z_]+)=(["']?)(.*)\2$/.exec(line.trim());
    if (match?.[1] !== undefined && match[3] !== undefined) values.set(match[1], match[3]);
  }
  const id = values.get('ID');
  const codename = values.get('VERSION_CODENAME');
  if (id === undefined || codename === undefined) return undefined;
  return { id, idLike: (values.get('ID_LIKE') ?? '').split(' ').filter((name) => name !== ''), codename };
}

/** Reads a file of sources.list.d: deb822 style for `.sources`, one line a source for `.list`. Source packages are left out. */
export function parseAptSources(fileName: string, text: string): AptSource[] {
  return fileName.endsWith('.sources') ? parseStanzas(text) : parseLines(text);
}

function parseLines(text: string): AptSource[] {
  return text.split('\n').flatMap((line): AptSource[] => {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)([^#]*)/.exec(line);
    const [, options = '', uri, suite, components = ''] = match ?? [];
    if (uri === undefined || suite === undefined) return [];
    const signedBy = /(?:^|\s)signed-by=(\S+)/i.exec(options)?.[1];
    return [{ uri, suite, components: components.split(/\s+/).filter((name) => name !== ''), signedBy }];
  });
}

function parseStanzas(text: string): AptSource[] {
  const uncommented = text.replace(/^#.*\n?/gm, '');
  return uncommented.split(/\n\s*\n/).flatMap((stanza): AptSource[] => {
    const fields = new Map<string, string>();
    let last = '';
    for (const line of stanza.split('\n')) {
      const field = /^([A-Za-z][A-Za-z0-9-]*):\s*(.*)$/.exec(line);
      if (field?.[1] !== undefined && field[2] !== undefined) {
        last = field[1].toLowerCase();
        fields.set(last, field[2]);
      } else if (/^\s/.test(line) && last !== '') fields.set(last, `${fields.get(last) ?? ''}\n${line}`);
    }
    const words = (name: string) => (fields.get(name) ?? '').split(/\s+/).filter((word) => word !== '');
    if (!words('types').includes('deb') || /^(no|false|0)$/i.test(fields.get('enabled') ?? 'yes')) return [];
    const components = words('components');
    const signedBy = fields.get('signed-by');
    return words('uris').flatMap((uri) => words('suites').map((suite) => ({ uri, suite, components, signedBy })));
  });
}

/** Writes deb822 stanzas for a private `.sources` file. */
export function formatAptSources(sources: readonly AptSource[]): string {
  return sources
    .map(({ uri, suite, components, signedBy }) =>
      [
        'Types: deb',
        `URIs: ${uri}`,
        `Suites: ${suite}`,
        // A suite that ends with a slash is a flat repository and has no components.
        ...(suite.endsWith('/') ? [] : [`Components: ${components.join(' ')}`]),
        ...(signedBy === undefined ? [] : [`Signed-By: ${signedBy}`]),
      ].join('\n'),
    )
    .join('\n\n');
}

/** The machine's sources of its own distribution: release, updates, security; no third party's. */
export function ownSources(sources: readonly AptSource[], { codename }: Distribution): AptSource[] {
  return sources.filter(({ suite }) => suite === codename || suite.startsWith(`${codename}-`));
}

/** Debian's unstable suite on the mirror that this machine uses for its own release; undefined when there is none. */
export function sidSource(sources: readonly AptSource[], { id, codename }: Distribution): AptSource | undefined {
  if (id !== 'debian') return undefined;
  const release = sources.find(({ suite, components }) => suite === codename && components.includes('main'));
  return release === undefined ? undefined : { ...release, suite: 'sid', components: ['main'] };
}
