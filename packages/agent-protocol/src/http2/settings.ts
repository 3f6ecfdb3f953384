import { ErrorCode, Http2Error, MAX_WINDOW } from "./protocol.ts";

const SETTING_BYTES = 6;

export const Setting = {
  HeaderTableSize: 1,
  EnablePush: 2,
  MaxConcurrentStreams: 3,
  InitialWindowSize: 4,
  MaxFrameSize: 5,
  MaxHeaderListSize: 6,
} as const;

const SMALLEST_MAX_FRAME = 16_384;
const LARGEST_MAX_FRAME = 16_777_215;

/** Settings by their numbers; the last value of each counts. */
export type Settings = ReadonlyMap<number, number>;

export function encodeSettings(settings: Settings): Buffer {
  const body = Buffer.allocUnsafe(settings.size * SETTING_BYTES);
  let offset = 0;
  for (const [setting, value] of settings) {
    body.writeUInt16BE(setting, offset);
    body.writeUInt32BE(value, offset + 2);
    offset += SETTING_BYTES;
  }
  return body;
}

/** Those that mean something here. @throws Http2Error */
export function decodeSettings(body: Buffer): Settings {
  if (body.length % SETTING_BYTES !== 0) throw new Http2Error(ErrorCode.FrameSize, "SETTINGS are truncated");
  const settings: Map<number, number> = new Map();
  for (let offset = 0; offset < body.length; offset += SETTING_BYTES) {
    const setting = body.readUInt16BE(offset);
    const value = body.readUInt32BE(offset + 2);
    check(setting, value);
    if (setting <= Setting.MaxHeaderListSize) settings.set(setting, value);
  }
  return settings;
}

function check(setting: number, value: number): void {
  if (setting === Setting.InitialWindowSize && value > MAX_WINDOW) {
    throw new Http2Error(ErrorCode.FlowControl, "SETTINGS have a window above 2^31 - 1 bytes");
  }
  const isFrameSize = value >= SMALLEST_MAX_FRAME && value <= LARGEST_MAX_FRAME;
  const isWrong = (setting === Setting.EnablePush && value > 1) || (setting === Setting.MaxFrameSize && !isFrameSize);
  if (isWrong)
    throw new Http2Error(ErrorCode.Protocol, `SETTINGS have ${String(value)} for setting ${String(setting)}`);
}
