// The words scripts say, in the language of the page.
const base = new URL("../", import.meta.url);
const { default: words } = await import(new URL(`words.${document.documentElement.lang}.js`, base).href);

/** The words of a key with its places filled; the key itself where there are none, which a test finds. */
export function t(key, params = {}) {
  const one = String(params.n) === "1" ? words[`${key}.one`] : undefined;
  const text = one ?? words[key];
  if (text === undefined) return key;
  return text.replace(/\{([a-z_]+)\}/g, (_, name) => params[name] ?? "");
}
