import { describe, expect, it } from "vitest";
import { howToInstall, parseOsRelease, thisDistribution } from "./distribution.ts";

const RELEASES = {
  "Debian 12": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n',
  "Debian 13": 'NAME="Debian GNU/Linux"\nVERSION_ID="13"\nVERSION_CODENAME=trixie\nID=debian\n',
  "Debian testing": 'PRETTY_NAME="Debian GNU/Linux forky/sid"\nVERSION_CODENAME=forky\nID=debian\n',
  "Ubuntu 22.04": 'NAME="Ubuntu"\nVERSION_ID="22.04"\nID=ubuntu\nID_LIKE=debian\n',
  "Ubuntu 24.04": 'NAME="Ubuntu"\nVERSION_ID="24.04"\nID=ubuntu\nID_LIKE=debian\n',
  "Linux Mint": 'ID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_ID="22"\n',
  Fedora: "NAME='Fedora Linux'\nID=fedora\nVERSION_ID=43\n",
  "Rocky Linux": 'ID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="10.0"\n',
  "Arch Linux": "ID=arch\n",
  Alpine: "ID=alpine\nVERSION_ID=3.22.1\n",
  openSUSE: 'ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\nVERSION_ID="20261101"\n',
  Gentoo: "ID=gentoo\n",
  nothing: "",
};

describe("how to get a program of the host", () => {
  it.each([
    ["Debian 12", "apt-get install qemu-system-x86", "apt-get install qemu-system-common"],
    ["Debian 13", "apt-get install qemu-system-x86", "apt-get install virtiofsd"],
    ["Debian testing", "apt-get install qemu-system-x86", "apt-get install virtiofsd"],
    ["Ubuntu 22.04", "apt-get install qemu-system-x86", "apt-get install qemu-system-common"],
    ["Ubuntu 24.04", "apt-get install qemu-system-x86", "apt-get install virtiofsd"],
    ["Linux Mint", "apt-get install qemu-system-x86", "apt-get install virtiofsd"],
    ["Fedora", "dnf install qemu-system-x86-core", "dnf install virtiofsd"],
    ["Rocky Linux", "dnf install qemu-kvm", "dnf install virtiofsd"],
    ["Arch Linux", "pacman -S qemu-system-x86", "pacman -S virtiofsd"],
    ["Alpine", "apk add qemu-system-x86_64", "apk add virtiofsd"],
    ["openSUSE", "zypper install qemu-x86", "zypper install virtiofsd"],
    ["Gentoo", "install QEMU for x86_64, the program qemu-system-x86_64", "install virtiofsd, the virtio-fs daemon"],
    ["nothing", "install QEMU for x86_64, the program qemu-system-x86_64", "install virtiofsd, the virtio-fs daemon"],
  ] as const)("is said in the words of %s", (name, qemu, virtiofsd) => {
    const distribution = parseOsRelease(RELEASES[name]);
    expect(howToInstall("qemu", distribution)).toBe(qemu);
    expect(howToInstall("virtiofsd", distribution)).toBe(virtiofsd);
  });

  it("says what to look for where the distribution does not tell its name", () => {
    expect(howToInstall("iproute2", thisDistribution("/nowhere"))).toBe("install iproute2, the programs ip and tc");
  });
});
