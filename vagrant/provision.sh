#!/bin/bash
# Makes a machine of the Vagrantfile what its role says. Run by root in the machine; run twice, it changes nothing.
#
#   provision.sh balancer|app|cloud NAME HOST      HOST is the last number of its addresses; /tmp/hawser has packages and secrets
set -euo pipefail
role=$1 name=$2 host=$3
given=/tmp/hawser
export DEBIAN_FRONTEND=noninteractive

# interface MAC PREFIX prints the name of the interface that Vagrant has plugged in with this MAC address.
interface() {
	local mac path
	mac=$(printf '%s:%02x:%02x' "$1" $((host / 256)) $((host % 256)))
	for path in /sys/class/net/*; do
		[ "$(cat "$path/address")" = "$mac" ] && basename "$path" && return
	done
	echo "provision.sh: there is no interface $mac" >&2
	return 1
}

# have PACKAGE… installs what is missing; the box of make vagrant-box has everything.
have() {
	local missing=() p
	for p in "$@"; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing+=("$p")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	apt-get update -qq
	apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# put FILE writes standard input to it.
put() {
	mkdir -p "$(dirname "$1")"
	cat >"$1.new"
	mv "$1.new" "$1"
}

# unpack_laboratory FILE puts the laboratory's program there: the program alone, as its package wants what this machine has no use for.
unpack_laboratory() {
	dpkg-deb --fsys-tarfile "$given/hawser-lab.deb" | tar -xO ./usr/sbin/hawser-lab | put "$1"
	chmod 0755 "$1"
}

# laboratory ARGUMENT… runs it, from among what is given.
laboratory() {
	[ -x "$given/hawser-lab" ] || unpack_laboratory "$given/hawser-lab"
	"$given/hawser-lab" "$@"
}

hostname "$name"
put /etc/hostname <<<"$name"
{
	printf '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n'
	printf '10.132.0.%s lb-%s\n' 11 1 12 2 13 3
	printf '10.132.0.%s app-%s\n' 101 1 102 2
	printf '10.132.0.1 cloud\n198.51.100.1 api.digitalocean.com\n'
} | put /etc/hosts
mkdir -p /var/log/journal # so that the journal of the boot before is there

private=$(interface 02:48:0a:84)
{
	printf 'auto %s\niface %s inet static\n\taddress 10.132.0.%s/16\n' "$private" "$private" "$host"
	if [ "$role" != app ]; then
		public=$(interface 02:48:c6:33)
		printf '\nauto %s\niface %s inet static\n\taddress 198.51.100.%s/24\n' "$public" "$public" "$host"
		printf '\tup ip address replace 10.17.0.%s/16 dev %s\n' "$host" "$public"
		if [ "$role" = cloud ]; then
			printf '\tup ip address replace 169.254.169.254/32 dev %s\n' "$public"
		else
			# As on a droplet: the metadata service is on the link, and clients far away are reached by the public gateway.
			printf '\tup ip route replace 169.254.169.254/32 dev %s scope link src 198.51.100.%s\n' "$public" "$host"
			printf '\tup ip route replace 198.18.0.0/24 via 198.51.100.1\n'
		fi
	fi
} >/tmp/hawser-interfaces
if ! cmp -s /tmp/hawser-interfaces /etc/network/interfaces.d/hawser; then
	for nic in "$private" ${public:+"$public"}; do ifdown --force "$nic" >/dev/null 2>&1 || true; done
	put /etc/network/interfaces.d/hawser </tmp/hawser-interfaces
	for nic in "$private" ${public:+"$public"}; do ifup "$nic"; done
fi

case $role in
app)
	have nginx-light
	laboratory conf nginx.conf "$name" | put /etc/nginx/nginx.conf
	# Its address has to be there when it starts.
	put /etc/systemd/system/nginx.service.d/hawser.conf <<<$'[Unit]\nAfter=networking.service\n'
	systemctl daemon-reload
	systemctl disable --quiet --now haproxy.service 2>/dev/null || true
	systemctl enable --quiet nginx.service
	systemctl restart nginx.service
	;;
cloud)
	have iptables iproute2 curl
	unpack_laboratory /usr/local/sbin/hawser-lab
	install -D -m 0600 "$given/token" /etc/hawser/token
	put /etc/systemd/system/hawser-cloud.service <<UNIT
[Unit]
Description=The simulated cloud and the router of its floating addresses
After=networking.service

[Service]
ExecStart=/usr/local/sbin/hawser-lab cloud serve --token-file /etc/hawser/token --publish 10.132.0.1:8080
Restart=on-failure

[Install]
WantedBy=multi-user.target
UNIT
	systemctl daemon-reload
	systemctl disable --quiet --now haproxy.service 2>/dev/null || true
	systemctl enable --quiet hawser-cloud.service
	systemctl restart hawser-cloud.service
	curl --silent --show-error --fail --retry 30 --retry-delay 2 --retry-connrefused --max-time 120 -o /dev/null http://10.132.0.1:8080/ca.pem
	;;
balancer)
	have curl ca-certificates
	ca=/etc/ssl/certs/hawser-lab-ca.pem
	curl --silent --show-error --fail --retry 30 --retry-delay 2 --retry-connrefused --max-time 120 -o "$ca.new" http://10.132.0.1:8080/ca.pem
	if ! cmp -s "$ca.new" "$ca"; then # what update-ca-certificates would do, in a minute on an emulated processor
		cat "$ca.new" >>/etc/ssl/certs/ca-certificates.crt
		mv "$ca.new" "$ca"
	fi
	rm -f "$ca.new"
	install -D -m 0600 "$given/token" /etc/hawser/token
	if [ ! -e /etc/hawser/haproxy.cfg.set ]; then
		have haproxy
		laboratory conf haproxy.cfg "$name" | put /etc/haproxy/haproxy.cfg
		touch /etc/hawser/haproxy.cfg.set # so that provisioning again leaves alone what somebody has changed
	fi
	# From here on it is what docs/install.md tells an operator to do.
	if ! cmp -s "$given/hawser.deb" /var/cache/hawser.deb; then
		# Without a list of packages what the box has must do; asking for one takes a minute on an emulated processor.
		apt-get install -y -qq --no-install-recommends "$given/hawser.deb" >/dev/null 2>&1 || {
			apt-get update -qq
			apt-get install -y -qq --no-install-recommends "$given/hawser.deb" >/dev/null
		}
		cp "$given/hawser.deb" /var/cache/hawser.deb
	fi
	/usr/share/hawser/setup-balancer --authkey "$given/authkey" --token "$HAWSER_TOKEN" --disable-haproxy-service --wait 600 \
		lb-1=10.132.0.11 lb-2=10.132.0.12 lb-3=10.132.0.13
	;;
esac
rm -rf "$given" /tmp/hawser-interfaces
