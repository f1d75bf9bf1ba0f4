const socket = encodeURIComponent("wss://example.org/live");
self.onesocketWorker = { script: `onesocket-worker.js#dial=${socket}`, name: "onesocket" };
if (self.SharedWorker) onesocketWorker.worker = new SharedWorker(onesocketWorker.script, onesocketWorker);
