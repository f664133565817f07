/** What the set-up told of a service. Throws where it did not run: end-to-end tests are never skipped in silence. */
export function serviceAddress(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`${name} is not set: run end-to-end tests with "npm test"`);
  return value;
}
