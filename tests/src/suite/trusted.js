{
  const script = new URL("onesocket-worker.js", document.baseURI).href;
  self.trustedTypes?.createPolicy("default", { createScriptURL: (url) => (new URL(url, document.baseURI).href === script ? url : null) });
}
