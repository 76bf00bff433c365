// Runs in the page before its own scripts. Counts what a reader would feel: frames, long tasks, and when the first price stood there.
(() => {
  const probe = { firstPrice_ms: 0, firstLive_ms: 0, longTasks: [], frames: [], counting: false };
  window.probe = probe;
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) probe.longTasks.push([startTime, duration]);
  }).observe({ type: "longtask", buffered: true });
  const priced = () => {
    if (probe.firstPrice_ms === 0 && document.querySelector('[col-id="price"] .value:not(:empty)')) probe.firstPrice_ms = performance.now();
    if (document.querySelector('[col-id="price"] [data-state="fresh"] .value:not(:empty)')) probe.firstLive_ms = performance.now();
    else requestAnimationFrame(priced);
  };
  requestAnimationFrame(priced);
  probe.count = () => {
    probe.frames = [];
    probe.counting = true;
    const frame = (now_ms) => {
      probe.frames.push(now_ms);
      if (probe.counting) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  };
  // Frames a second, and the longest time between two of them, ms.
  probe.read = () => {
    probe.counting = false;
    const { frames } = probe;
    const gaps = frames.slice(1).map((frame, index) => frame - frames[index]);
    return { frames_per_s: (frames.length - 1) / ((frames[frames.length - 1] - frames[0]) / 1000), longest_ms: Math.max(...gaps) };
  };
})();
