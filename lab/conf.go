package lab

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"
)

// What a balancer and an application server are delivered with.

// corosyncConf lists the balancers. An opening brace has to end its line, and a closing one to stand alone.
func (s Spec) corosyncConf() string {
	var b strings.Builder
	balancers := (&Lab{spec: s}).Nodes(Balancer)
	fmt.Fprintf(&b, `totem {
	version: 2
	cluster_name: hawser-lab
	transport: knet
	crypto_cipher: none
	crypto_hash: none
%s}

logging {
	to_stderr: no
	to_logfile: yes
	logfile: /var/log/corosync/corosync.log
	to_syslog: yes
	timestamp: hires
}

quorum {
	provider: corosync_votequorum
`, s.Totem.Section())
	if len(balancers) == 2 {
		b.WriteString("\ttwo_node: 1\n\twait_for_all: 0\n") // one of two goes on alone, and may come up alone
	}
	b.WriteString("}\n\nnodelist {\n")
	for i, n := range balancers {
		fmt.Fprintf(&b, "\tnode {\n\t\tname: %s\n\t\tnodeid: %d\n\t\tring0_addr: %s\n\t}\n", n.Name, i+1, n.Private.Addr())
	}
	b.WriteString("}\n")
	return b.String()
}

// dcDeadtime is how long the first node waits for others before it elects itself. Pacemaker's own 20 s is what a cluster's very
// first start takes; nodes of a lab start together.
const dcDeadtime = 2 * time.Second

// seedCIB is Pacemaker's own empty CIB with dc-deadtime set.
func seedCIB(ctx context.Context) (string, error) {
	empty, err := tool(ctx, "", "cibadmin", "--empty")
	if err != nil {
		return "", err
	}
	seed := fmt.Sprintf(`<crm_config>
      <cluster_property_set id="cib-bootstrap-options">
        <nvpair id="cib-bootstrap-options-dc-deadtime" name="dc-deadtime" value="%ds"/>
      </cluster_property_set>
    </crm_config>`, int(dcDeadtime.Seconds()))
	seeded := strings.Replace(empty, "<crm_config/>", seed, 1)
	if seeded == empty {
		return "", fmt.Errorf("lab: seed the CIB: no <crm_config/> in what cibadmin --empty gave: %s", empty)
	}
	return seeded, nil
}

// haproxyCfg is the tutorial's: Debian's global and defaults sections, and one pool. It is the same on every balancer, as the
// anchor address comes from the environment.
func (s Spec) haproxyCfg() string {
	var b strings.Builder
	b.WriteString(`global
	log /dev/log	local0
	log /dev/log	local1 notice
	chroot /var/lib/haproxy
	stats timeout 30s
	user haproxy
	group haproxy
	daemon

defaults
	log	global
	mode	http
	option	httplog
	option	dontlognull
	timeout connect 5000
	timeout client  50000
	timeout server  50000
	errorfile 400 /etc/haproxy/errors/400.http
	errorfile 403 /etc/haproxy/errors/403.http
	errorfile 408 /etc/haproxy/errors/408.http
	errorfile 500 /etc/haproxy/errors/500.http
	errorfile 502 /etc/haproxy/errors/502.http
	errorfile 503 /etc/haproxy/errors/503.http
	errorfile 504 /etc/haproxy/errors/504.http

frontend http
	bind "${HAWSER_ANCHOR_IP}:80"
	option forwardfor
	option http-server-close
	default_backend app_pool

backend app_pool
	balance roundrobin
`)
	for _, n := range (&Lab{spec: s}).Nodes(AppServer) {
		fmt.Fprintf(&b, "\tserver %s %s:80 check\n", n.Name, n.Private.Addr())
	}
	return b.String()
}

// nginxConf admits the balancers' private addresses only, and answers with the server's name and who asked. The answer is in a
// named location because "return" in the first one would come before allow and deny.
func (s Spec) nginxConf(n Node) string {
	var allow strings.Builder
	for _, lb := range (&Lab{spec: s}).Nodes(Balancer) {
		fmt.Fprintf(&allow, "\t\tallow %s;\n", lb.Private.Addr())
	}
	return fmt.Sprintf(`user www-data;
worker_processes 1;
pid /run/nginx.pid;
error_log /var/log/nginx/error.log;

events {
	worker_connections 1024;
}

http {
	log_format forwarded '$msec $remote_addr $status "$http_x_forwarded_for" "$request"';
	access_log /var/log/nginx/access.log forwarded;
	default_type text/plain;

	server {
		listen %[1]s:80;
%[2]s		deny all;
		location / {
			try_files /nothing @answer;
		}
		location @answer {
			return 200 "%[3]s via $remote_addr\n";
		}
	}
}
`, n.Private.Addr(), allow.String(), n.Name)
}

func (s Spec) hosts() string {
	var b strings.Builder
	b.WriteString("127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n")
	for _, n := range s.Nodes {
		at := n.Private
		if !at.IsValid() {
			at = n.Far
		}
		fmt.Fprintf(&b, "%s %s\n", at.Addr(), n.Name)
	}
	fmt.Fprintf(&b, "%s api.digitalocean.com\n", API)
	return b.String()
}

// machine is what the node's PID 1 is told. What it is delivered with is left out at all boots but the first.
func (l *Lab) machine(ctx context.Context, n Node, first bool) (m machine, err error) {
	m = machine{
		Hostname: n.Name, Upper: l.Disk(n.Name), Work: l.path("nodes", n.Name, "work"), RootDir: l.path("nodes", n.Name, "root"), Lower: "/",
	}
	if l.spec.Overlay != "" {
		m.Lower = l.path("overlay") + ":/"
	}
	switch n.Role {
	case Balancer:
		m.Services = []service{
			{Name: "corosync", Args: []string{"corosync", "-f"}, Stop: 10 * time.Second},
			{Name: "pacemakerd", Args: []string{"pacemakerd", "-f"}, Sockets: []string{"cmap", "cpg", "quorum"}, Stop: 3 * time.Minute},
		}
	case AppServer:
		m.Services = []service{{Name: "nginx", Args: []string{"nginx", "-g", "daemon off;"}, Stop: 5 * time.Second}}
	}
	if l.spec.Systemd && n.Role == Balancer {
		defer func() { m.underSystemd(l.spec.Name, first) }()
	}
	if !first {
		return m, nil
	}
	text := func(path, content string) file { return file{Path: path, Mode: 0o644, Content: content} }
	m.Files = []file{
		text("/etc/hostname", n.Name+"\n"), text("/etc/hosts", l.spec.hosts()), text("/etc/resolv.conf", "# the lab has no name server\n"),
		text("/etc/ssl/certs/hawser-lab-ca.pem", l.spec.CA), // for Go; OpenSSL and GnuTLS read one file of all
		{Path: "/etc/ssl/certs/ca-certificates.crt", Mode: 0o644, Content: l.spec.CA, Append: true},
	}
	// What the machine's own daemons left there, and their being started at boot by a systemd that the node has not.
	m.Wipe = []string{
		"/var/lib/corosync/*", "/var/lib/pacemaker/cib/*", "/var/lib/pacemaker/pengine/*", "/var/log/pacemaker/*.log", "/var/log/corosync/*",
		"/var/log/nginx/*", "/var/log/syslog", "/var/log/haproxy.log", "/etc/corosync/authkey",
		"/etc/systemd/system/*.wants/haproxy.service", "/etc/systemd/system/*.wants/nginx.service", "/etc/systemd/system/*.wants/keepalived.service",
		"/etc/systemd/system/*.wants/corosync.service", "/etc/systemd/system/*.wants/pacemaker.service",
	}
	switch n.Role {
	case Balancer:
		cib, err := seedCIB(ctx)
		if err != nil {
			return m, err
		}
		m.Files = append(m.Files,
			file{Path: "/var/log/corosync", Mode: os.ModeDir | 0o755},
			text("/etc/corosync/corosync.conf", l.spec.corosyncConf()),
			file{Path: "/var/lib/pacemaker/cib/cib.xml", Mode: 0o600, Owner: "hacluster", Group: "haclient", Content: cib},
			text("/etc/haproxy/haproxy.cfg", l.spec.haproxyCfg()),
			file{Path: "/etc/hawser/token", Mode: 0o600, Content: l.spec.Token + "\n"},
		)
	case AppServer:
		m.Files = append(m.Files, file{Path: "/var/log/nginx", Mode: os.ModeDir | 0o755}, text("/etc/nginx/nginx.conf", l.spec.nginxConf(n)))
	}
	return m, nil
}
