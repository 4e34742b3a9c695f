// One attempt of a step: its callback, its time, and what becomes of what it gives.
((ops, lib) => {
  "use strict";

  const { delayAfter, isFinal, named, pack, TIMER_MAX } = lib.workflows;

  // `report` is told how it ended: `ended()` first, which says whether the rest matters, then `done(bytes)`,
  // `failed(error)` or, if there is another attempt after so many milliseconds, `again(error, wait)`.
  lib.attempt = (step, report) => {
    const { name, config } = step;
    const attempt = step.attempts + 1;
    const context = { attempt, step: { name, count: step.count }, config };
    let isPending = true;
    const settle = (outcome) => {
      if (!isPending) return;
      isPending = false;
      step.cancel();
      if (report.ended()) outcome();
    };

    const failed = (error, isLast = isFinal(error)) => {
      const flat = lib.flatten(error);
      step.attempts++;
      let wait = null;
      if (!isLast && step.attempts <= config.retries.limit) {
        try {
          wait = delayAfter(step.attempts, config.retries, context, error);
        } catch (thrown) {
          ops.log(3, `step.do("${name}"): ${lib.stackOf(thrown)}`);
        }
      }
      if (wait === null) report.failed(flat);
      else report.again(flat, wait);
    };
    const done = (value) => {
      let bytes;
      try {
        bytes = pack(value, `the result of step.do("${name}")`);
      } catch (error) {
        // Another attempt would give the same.
        failed(error, true);
        return;
      }
      report.done(bytes);
    };

    const begun = ops.now();
    let timer = null;
    const watch = () => {
      const rest = config.timeout - (ops.now() - begun);
      if (rest > 0) {
        timer = lib.setTimer(watch, Math.min(rest, TIMER_MAX));
        return;
      }
      const error = named("WorkflowTimeoutError", `step.do("${name}"): attempt ${attempt} took more than ${config.timeout} ms`);
      settle(() => failed(error));
    };
    step.cancel = () => lib.clearTimer(timer);

    let result;
    try {
      result = lib.resolved((0, step.callback)(context));
    } catch (error) {
      result = lib.rejected(error);
    }
    lib.then(
      result,
      (value) => settle(() => done(value)),
      (error) => settle(() => failed(error)),
    );
    watch();
  };
})
