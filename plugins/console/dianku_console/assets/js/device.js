// What is kept on this device, by name. In practice everything has names of its own, so that nothing
// typed in the throw-away shop is found in the real one, or the other way round.
export const practising = document.querySelector('meta[name="practice"]') !== null;
const PREFIX = "practice.";

/** The name something is kept under here. */
export const named = (name) => (practising ? PREFIX + name : name);

/** Forget whatever practice left on this device. */
export async function forgetPractice() {
  for (const name of Object.keys(localStorage)) if (name.startsWith(PREFIX)) localStorage.removeItem(name);
  const known = await indexedDB.databases?.() ?? [];
  for (const { name } of known) if (name?.startsWith(PREFIX)) indexedDB.deleteDatabase(name);
}
