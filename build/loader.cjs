"use strict";
// The executable's main script, and that of each of its threads: runs the bundle out of the executable's
// assets with the code cache that was made at build time, so that nothing is compiled at start.
const { getRawAsset } = require("node:sea");
const vm = require("node:vm");

// The bundle is ASCII: read as such it takes half the memory, in each thread.
const text = Buffer.from(getRawAsset("app.js")).latin1Slice();
const script = new vm.Script(text, {
  filename: "mini8s.js",
  cachedData: new Uint8Array(getRawAsset("app.cache")),
  importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
});
script.runInThisContext()(require, module, exports, __filename, __dirname);
