import { listOf, object, optional, type Shape, text } from "@kata-ts/linux/shape";
import type { CgroupPlace, RecordedCgroup } from "../ports/cgroups.ts";

const place = object<CgroupPlace>({
  directories: listOf(text),
  unit: optional(text),
});
const directories = listOf(text);

/** As records have it. */
export const recordedCgroup: Shape<RecordedCgroup> = (value, name) =>
  Array.isArray(value) ? directories(value, name) : place(value, name);

/** Records of earlier versions have the directories alone. */
export function placeOf(recorded: RecordedCgroup | undefined): CgroupPlace {
  if (recorded === undefined) return { directories: [] };
  return "directories" in recorded ? recorded : { directories: recorded };
}
