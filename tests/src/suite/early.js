self.SharedWorker && new SharedWorker("onesocket-worker.js", { name: "onesocket" });
