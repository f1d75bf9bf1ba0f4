{
  const early = (self.onesocketWorker = { script: "onesocket-worker.js", name: "onesocket", failed: false });
  const start = (Kind) => {
    if ("worker" in early) return;
    early.worker = new Kind(early.script, early);
    early.worker.onerror = () => (early.failed = true);
  };
  const leader = `onesocket-leader ${early.name} ${new URL(early.script, document.baseURI)}`;
  if (self.SharedWorker) start(SharedWorker);
  else if (!navigator.locks) start(Worker);
  else navigator.locks.request(leader, { ifAvailable: true, mode: "shared" }, (free) => free && start(Worker)).catch(() => {});
}
