#!/usr/bin/env node
import { programArguments } from "@kata-ts/linux/arguments";
import { main } from "./main.ts";

process.exit(await main(programArguments()));
