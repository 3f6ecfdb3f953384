import { completeSymbols } from "./disposable.ts";

// Classes name them when they are made: this is imported before all others.
completeSymbols();
