{
  const script = new URL("onesocket-worker.js", document.baseURI).href;
  self.trustedTypes?.createPolicy("default", { createScriptURL: (url) => (url === script ? url : null) });
}
