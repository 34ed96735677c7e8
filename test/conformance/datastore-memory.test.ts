import { openMemoryDatastore } from "../../pkg/datastore/memory/memory-datastore.ts";
import { describeDatastore } from "./datastore-conformance.ts";

describeDatastore("memory", () => Promise.resolve(openMemoryDatastore()));
