"use strict";
// Node knows no names of real-time signals, and listens to what it has names for only. Its table can be added to until
// the module `os` is loaded, which freezes it: before all else, and so in a file of its own.
const { signals } = process.binding("constants").os;
for (let number = 34; number <= 64; number += 1) signals[`SIGRT${String(number)}`] = number;
