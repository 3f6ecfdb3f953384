/**
 * A shell script that makes /root/box.tar, the root file system of an engine's image: busybox, with its commands in /bin. And
 * /root/www with a file of 8 MiB, for a server in a container.
 */
export const makeBoxImage = `
mkdir -p /root/image/bin /root/www
cp /bin/busybox /root/image/bin/
for each in cat dd echo httpd id md5sum sh sleep stty wget; do ln -sf busybox /root/image/bin/$each; done
tar -C /root/image -cf /root/box.tar .
dd if=/dev/urandom of=/root/www/data bs=1M count=8 status=none
`;
