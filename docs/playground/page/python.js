// The page's side of the worker: one request at a time, and a worker that does not answer is replaced by another.
const PATIENCE = 20_000;
export class Python {
  constructor(tell) {
    this.tell = tell;
    this.start();
  }
  start() {
    this.pending = new Map();
    this.number = 0;
    this.isReady = false;
    this.worker = new Worker("worker.js", { type: "module" });
    this.ready = new Promise((ready, failed) => {
      this.worker.onmessage = ({ data }) => {
        if (data.ready) { this.isReady = true; ready(); }
        else if (data.number === undefined) failed(new Error(data.failed));
        else this.arrive(data);
      };
      this.worker.onerror = (event) => failed(new Error(event.message));
    });
    this.ready.catch((error) => this.tell(`Python does not start here: ${error.message}`));
  }
  arrive(data) {
    const { done, fail, clock } = this.pending.get(data.number);
    clearTimeout(clock);
    this.pending.delete(data.number);
    if (data.failed) fail(new Error(data.failed));
    else done({ answer: data.answer, milliseconds: data.milliseconds });
  }
  ask(request) {
    const number = this.number++;
    return new Promise((done, fail) => {
      const clock = this.isReady ? setTimeout(() => this.restart(), PATIENCE) : undefined;
      this.pending.set(number, { done, fail, clock });
      this.worker.postMessage({ number, request });
    });
  }
  // A program that takes too long is given up; the editor and its text stay.
  restart() {
    this.worker.terminate();
    const pending = [...this.pending.values()];
    this.tell("this took more than 20 seconds and was given up; Python starts again …");
    this.start();
    for (const { fail, clock } of pending) { clearTimeout(clock); fail(new Error("given up")); }
  }
}
