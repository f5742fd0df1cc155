package lab

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"
	"time"
)

// What a balancer and an application server are delivered with.

// dcDeadtime is how long the first node waits for others before it elects itself. With Pacemaker's
// own 20 s a cluster's very first start would take that long; nodes of a lab start together.
const dcDeadtime = 2 * time.Second

// seedCIB is the empty CIB of the Pacemaker below root, with dc-deadtime set.
func seedCIB(ctx context.Context, root string) (string, error) {
	empty, err := toolBelow(ctx, root, "", "cibadmin", "--empty")
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
		return "", fmt.Errorf(
			"lab: seed the CIB: no <crm_config/> in what cibadmin --empty gave: %s", empty)
	}
	return seeded, nil
}

func (s Spec) hosts() string {
	var b strings.Builder
	b.WriteString("127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n")
	for _, n := range s.Nodes {
		at := n.Private
		if !at.IsValid() {
			at = n.Far
		}
		if !at.IsValid() {
			at = n.Public
		}
		fmt.Fprintf(&b, "%s %s\n", at.Addr(), n.Name)
	}
	fmt.Fprintf(&b, "%s api.digitalocean.com\n", API)
	return b.String()
}

// machine returns the instructions for the node's PID 1. The files it is delivered with are left
// out after the first boot.
func (l *Lab) machine(ctx context.Context, n Node, first bool) (m machine, err error) {
	m = machine{
		Hostname: n.Name, Upper: l.Disk(n.Name), Work: l.path("nodes", n.Name, "work"),
		RootDir: l.path("nodes", n.Name, "root"), Lower: cmp.Or(l.spec.Root, "/"),
	}
	if l.spec.Overlay != "" {
		m.Lower = l.path("overlay") + ":" + m.Lower
	}
	switch n.Role {
	case Balancer:
		m.Services = []service{
			{Name: "corosync", Args: []string{"corosync", "-f"}, Stop: 10 * time.Second},
			{
				Name: "pacemakerd", Args: []string{"pacemakerd", "-f"},
				Sockets: []string{"cmap", "cpg", "quorum"}, Stop: 3 * time.Minute,
			},
		}
	case AppServer:
		m.Services = []service{
			{Name: "nginx", Args: []string{"nginx", "-g", "daemon off;"}, Stop: 5 * time.Second},
		}
	}
	if l.spec.Qnetd != NoQnetd {
		if err := l.joinDevice(&m, n, first); err != nil {
			return m, err
		}
	}
	if l.spec.Systemd && n.Role == Balancer {
		defer func() { m.underSystemd(l.spec.Name, first) }()
	}
	if !first {
		return m, nil
	}
	text := func(path, content string) file {
		return file{
			Path: path, Mode: 0o644, Content: content,
		}
	}
	m.Files = append(m.Files,
		text("/etc/hostname", n.Name+"\n"), text("/etc/hosts", l.spec.hosts()),
		text("/etc/resolv.conf", "# the lab has no name server\n"),
		// for Go; OpenSSL and GnuTLS read a single file
		text("/etc/ssl/certs/hawser-lab-ca.pem", l.spec.CA),
		file{
			Path: "/etc/ssl/certs/ca-certificates.crt", Mode: 0o644, Content: l.spec.CA, Append: true,
		},
	)
	// What the machine's own daemons left there, and their start at boot by a systemd that the node
	// does not have.
	m.Wipe = append(m.Wipe,
		"/var/lib/corosync/*", "/var/lib/pacemaker/cib/*", "/var/lib/pacemaker/pengine/*",
		"/var/log/pacemaker/*.log", "/var/log/corosync/*",
		"/var/log/nginx/*", "/var/log/syslog", "/var/log/haproxy.log", "/etc/corosync/authkey",
		"/etc/systemd/system/*.wants/haproxy.service", "/etc/systemd/system/*.wants/nginx.service",
		"/etc/systemd/system/*.wants/keepalived.service",
		"/etc/systemd/system/*.wants/corosync.service",
		"/etc/systemd/system/*.wants/pacemaker.service",
	)
	switch n.Role {
	case Balancer:
		cib, err := seedCIB(ctx, l.spec.Root)
		if err != nil {
			return m, err
		}
		cfg, err := l.spec.haproxyCfg()
		if err != nil {
			return m, err
		}
		m.Files = append(m.Files,
			file{Path: "/var/log/corosync", Mode: os.ModeDir | 0o755},
			text("/etc/corosync/corosync.conf", l.spec.corosyncConf()),
			file{
				Path: "/var/lib/pacemaker/cib/cib.xml", Mode: 0o600, Owner: "hacluster",
				Group: "haclient", Content: cib,
			},
			text("/etc/haproxy/haproxy.cfg", cfg),
			file{Path: "/etc/hawser/token", Mode: 0o600, Content: l.spec.Token + "\n"},
		)
	case AppServer:
		conf, err := l.spec.nginxConf(n)
		if err != nil {
			return m, err
		}
		m.Files = append(m.Files, file{
			Path: "/var/log/nginx", Mode: os.ModeDir | 0o755,
		}, text("/etc/nginx/nginx.conf", conf))
		if n.Site != "" {
			certificate, err := l.siteCertificate()
			if err != nil {
				return m, err
			}
			m.Files = append(m.Files, certificate...)
		}
	}
	return m, nil
}
