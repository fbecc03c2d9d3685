// @ts-check
/** What the page's address says of who opens it: the credential, or a pairing code. */

const TOKEN_KEPT_AS = "parley.token";

/** From the address (#token=…) or typed before; it goes nowhere but into the handshake. */
export function token() {
  const found = inAddress("token");
  if (found) keepToken(found);
  return sessionStorage.getItem(TOKEN_KEPT_AS) ?? "";
}

/** Until the tab is closed. @param {string} token */
export function keepToken(token) {
  sessionStorage.setItem(TOKEN_KEPT_AS, token);
}

/** What stands behind the #, once; it is left neither there nor in the history. @param {string} name */
export function inAddress(name) {
  const said = new URLSearchParams(location.hash.slice(1));
  const found = said.get(name);
  if (found === null) return null;
  said.delete(name);
  history.replaceState(null, "", `${location.pathname}#${said}`.replace(/#$/, ""));
  return found;
}
