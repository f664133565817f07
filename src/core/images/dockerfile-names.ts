import { posix } from 'node:path';
import { isVariantWord } from './gpu.ts';

/** What a Dockerfile's file name says: `Dockerfile.api-gpu` is the image `api` in the variant `gpu`. */
export interface NamedDockerfile {
  /** `''` when the name says nothing: the folder does. */
  readonly image: string;
  readonly variant: string;
}

const PREFIXED = /^(?:Dockerfile|Containerfile)(?:[._-](.+))?$/;
const SUFFIXED = /^(.+)\.[Dd]ockerfile$/;
/** Files about Dockerfiles, copies of them, and templates of them. */
const OTHER =
  /\.(?:svg|png|md|rst|txt|dockerignore|j2|jinja2?|tmpl|tpl|template|in|erb|bak|orig|rej|old|swp|example|sample|json|ya?ml|toml|lock|py|sh|go|js|ts)$|~$/i;
/** Folders that hold others' code, or code that shows or tests something. */
const PASSED_OVER =
  /^(?:node_modules|vendor|vendored|third[_-]party|external|submodules|examples?|samples?|demos?|fixtures?|testdata|tests?|__tests__|docs?|\.devcontainer|\.git)$/i;

/** Reads a file's name as one of a Dockerfile; undefined for any other file. */
export function readDockerfileName(path: string): NamedDockerfile | undefined {
  // Asked of every file of a repository, and nearly always no: this costs a tenth of the patterns.
  if (!path.includes('ockerfile') && !path.includes('ontainerfile')) return undefined;
  const name = posix.basename(path);
  if (OTHER.test(name)) return undefined;
  const prefixed = PREFIXED.exec(name);
  const word = prefixed === null ? SUFFIXED.exec(name)?.[1] : (prefixed[1] ?? '');
  if (word === undefined) return undefined;
  if (isVariantWord(word)) return { image: '', variant: word.toLowerCase() };
  const [, image, variant] = /^(.+)[._-]([^._-]+)$/.exec(word) ?? [];
  return image !== undefined && variant !== undefined && isVariantWord(variant)
    ? { image, variant: variant.toLowerCase() }
    : { image: word, variant: '' };
}

/** The folder of vendored, example, test or documentation code that a path lies in; files there are read only when asked for. */
export function passedOverFolder(path: string): string | undefined {
  return posix
    .dirname(path)
    .split('/')
    .find((folder) => PASSED_OVER.test(folder));
}

/** Folder names that say where a Dockerfile lies and not what it builds. */
const GENERIC = /^(?:docker|\.docker|dockerfiles?|containers?|build|ci|deploy|deployment|infra)$/i;

/**
 * The image's name by the folder: the nearest one that is neither generic nor a variant's; the repository's name at
 * the root. A variant's folder (`cuda12/`) is told beside it.
 */
export function nameByFolder(
  path: string,
  repository: string,
): { readonly image: string; readonly variantFolder: string | undefined } {
  const folders = posix
    .dirname(path)
    .split('/')
    .filter((folder) => folder !== '.');
  const last = folders.at(-1);
  const variantFolder = last !== undefined && isVariantWord(last) ? last.toLowerCase() : undefined;
  const named = folders.filter((folder) => !GENERIC.test(folder) && !isVariantWord(folder));
  return { image: named.at(-1) ?? repository, variantFolder };
}
