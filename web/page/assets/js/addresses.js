/** Where the farm is: at the root of its host, or under a path of a proxy's. */

/** The path that all addresses of the farm begin with: "/", or "/raner/". */
export const ROOT = new URL("../../", import.meta.url).pathname;

const PERMALINK = /^jobs\/([^/]+)$/;

/** The path of one of the farm's addresses, such as "/api/v1/jobs", on this host. */
export function addressOf(/** @type {string} */ path) {
  return ROOT + path.slice(1);
}

/** The page's address of a job. */
export function permalink(/** @type {string} */ id) {
  return addressOf(`/jobs/${encodeURIComponent(id)}`);
}

/** Let the page's relative links lead where they do now, also once the page's own address has changed. */
export function pinLinks() {
  for (const link of document.querySelectorAll("a[href^='.'], link[href^='.']")) link.href = link.href;
}

/** Id of the job that the page's address is of, or null. */
export function jobOfPage() {
  const id = PERMALINK.exec(location.pathname.slice(ROOT.length))?.[1];
  return id ? decodeURIComponent(id) : null;
}
