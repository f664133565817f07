import { openDevTools } from './devtools.ts';
import { type CapturedSnapshot, type PageSnapshot, readSnapshot, SNAPSHOT_STYLES } from './snapshot.ts';

export type ColorScheme = 'light' | 'dark';

export interface View {
  /** Pixels of CSS. */
  readonly width: number;
  readonly scheme: ColorScheme;
  /** Pixels of the screen for one of CSS; 1 unless told. */
  readonly scale?: number;
}

/** A page of the browser: what it shows, what is laid out where, and a picture of it. */
export interface Page extends AsyncDisposable {
  show(html: string, view: View): Promise<void>;
  /** The value of an expression, awaited when it is a promise. Throws what the page threw. */
  evaluate<T>(expression: string): Promise<T>;
  snapshot(): Promise<PageSnapshot>;
  /** A PNG of the whole page, to its end. */
  screenshot(): Promise<Buffer>;
}

interface Evaluated<T> {
  readonly result: { readonly value: T };
  readonly exceptionDetails?: { readonly text: string; readonly exception?: { readonly description?: string } };
}

/** Opens a page in the browser whose DevTools are at `endpoint`. */
export async function openPage(endpoint: string): Promise<Page> {
  const devTools = await openDevTools(endpoint);
  const evaluate = async <T>(expression: string): Promise<T> => {
    const { result, exceptionDetails } = await devTools.send<Evaluated<T>>('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails !== undefined)
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  return {
    evaluate,
    async show(html, { width, scheme, scale = 1 }) {
      // Low, so that the page is as high as its content.
      const metrics = { width, height: 100, deviceScaleFactor: scale, mobile: false };
      await devTools.send('Emulation.setDeviceMetricsOverride', metrics);
      const features = [{ name: 'prefers-color-scheme', value: scheme }];
      await devTools.send('Emulation.setEmulatedMedia', { features });
      await evaluate(`document.open(); document.write(${JSON.stringify(html)}); document.close();
        document.fonts.ready.then(() => undefined)`);
    },
    async snapshot() {
      const captured = await devTools.send<CapturedSnapshot>('DOMSnapshot.captureSnapshot', {
        computedStyles: SNAPSHOT_STYLES,
        includeDOMRects: true,
      });
      return readSnapshot(captured);
    },
    async screenshot() {
      const { data } = await devTools.send<{ data: string }>('Page.captureScreenshot', { captureBeyondViewport: true });
      return Buffer.from(data, 'base64');
    },
    [Symbol.asyncDispose]: () => devTools[Symbol.asyncDispose](),
  };
}
