import { request } from '../../../src/core/net/request.ts';
import type { World } from '../world.ts';

export interface SitePage {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What a visitor gets of the site in a world's bucket. */
export async function sitePage({ s3, vars }: Pick<World, 's3' | 'vars'>, key: string): Promise<SitePage> {
  const { status, headers, body } = await request({ url: `${s3.endpoint}/${vars['SITE_BUCKET']}/${key}` });
  return { status, text: body.toString(), headers };
}

/** The keys of the assets that a page names. */
export function assetsOf({ text }: Pick<SitePage, 'text'>): readonly string[] {
  return [...text.matchAll(/(?:src|href)="\/([^"]+)"/g)].map(([, asset]) => asset ?? '');
}
