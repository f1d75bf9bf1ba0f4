self.onesocketWorker = { script: "onesocket-worker.js", name: "onesocket" };
onesocketWorker.worker = new (self.SharedWorker ?? Worker)(onesocketWorker.script, onesocketWorker);
