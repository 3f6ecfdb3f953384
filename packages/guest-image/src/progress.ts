/** One line for a person: what is being done now. */
export type Progress = (line: string) => void;

export const silent: Progress = () => undefined;
