/**
 * Prefixes of variables that frontend tools write into the scripts they make, by their own documentation: Vite, Create
 * React App, Next.js, Vue CLI, Astro and SvelteKit, Nuxt, Gatsby, Expo.
 */
const BAKED = /^(?:VITE|REACT_APP|NEXT_PUBLIC|VUE_APP|PUBLIC|NUXT_PUBLIC|GATSBY|EXPO_PUBLIC)_/;

/**
 * Names of build arguments that would be baked into a frontend without a value.
 *
 * @param args Values by name; null is taken from the environment.
 */
export function emptyBakedArguments(
  args: Readonly<Record<string, string | null>>,
  environment: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  return Object.entries(args)
    .filter(([name, value]) => BAKED.test(name) && (value ?? environment[name] ?? '') === '')
    .map(([name]) => name);
}
