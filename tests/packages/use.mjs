// `node --import ./use.mjs job.mjs`: the global WebAssembly is Heddle's where PACKAGES_USE=heddle, V8's otherwise. Where PACKAGES_TIMES is set, the process's
// processor time and its whole time come last on standard error, in milliseconds, with the most memory that it took, in megabytes.
if (process.env.PACKAGES_USE === 'heddle') await import('../../dist/register.mjs');
if (process.env.PACKAGES_TIMES !== undefined) {
  process.on('exit', () => {
    const { user, system } = process.cpuUsage();
    const times = { cpu: (user + system) / 1000, wall: process.uptime() * 1000, peak: process.resourceUsage().maxRSS / 1024 };
    process.stderr.write(`\nTIMES ${JSON.stringify(times)}\n`);
  });
}
