"use strict";
// Runs the bundle once as the executable will, and keeps what V8 compiled: node warm-cache.cjs BUNDLE CACHE.
const { readFileSync, writeFileSync } = require("node:fs");
const vm = require("node:vm");

const [bundle, cache] = process.argv.slice(2);
const script = new vm.Script(readFileSync(bundle, "utf8"), {
  filename: "mini8s.js",
  importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
});
process.argv = [process.argv[0], "mini8s", "version"];
script.runInThisContext()(require, module, exports, __filename, __dirname);
process.on("exit", () => writeFileSync(cache, script.createCachedData()));
