#!/usr/bin/env node
import { programArguments } from "@kata-ts/linux/arguments";
import { launchQemu } from "@kata-ts/qemu-driver";
import { main } from "./main.ts";

process.exit(await main(programArguments(), { qemu: launchQemu }));
