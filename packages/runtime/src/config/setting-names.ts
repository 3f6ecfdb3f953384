/** What configuration.toml calls an option of virtcontainers' `vm` that its hints name. */
const NAMES: Readonly<Record<string, string>> = {
  "vm.kernelPath": "kernel",
  "vm.imagePath": "image",
  "vm.firmwarePath": "firmware",
  "vm.memoryMiB": "default_memory",
  "vm.memory.directory": "file_mem_backend",
  "vm.machine.type": "machine_type",
  "vm.machine.entropySource": "entropy_source",
  "vm.sharedFs": "shared_fs",
  "vm.savable": "enable_checkpoint",
  "vm.qemuPath": "path",
  "vm.virtiofsdPath": "virtio_fs_daemon",
  "vm.disks.scsi": "block_device_driver",
  "vm.rootPorts": "pcie_root_port",
};

const SETTING = /\bvm(?:\.[A-Za-z]+)+/g;

/** The message of an error and its hint, in the words of those who configure a runtime, not of those who call the library. */
export function describeForAdministrators(message: string, hint: string | undefined): string {
  if (hint === undefined) return message;
  const translated = hint.replaceAll(SETTING, (setting) => NAMES[setting] ?? setting);
  return `${message} (${translated === hint ? hint : `${translated} in configuration.toml`})`;
}
