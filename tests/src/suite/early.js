self.onesocketWorker = { script: "onesocket-worker.js", name: "onesocket" };
if (self.SharedWorker) onesocketWorker.worker = new SharedWorker(onesocketWorker.script, onesocketWorker);
