package lab

import (
	_ "embed" // the templates
	"fmt"
	"slices"
	"strings"
	"text/template"

	"github.com/hawser-ha/hawser/internal/corosync"
)

// The templates are what the servers are delivered with, here and on vagrant's machines
// (vagrant/provision.sh).
//
// haproxy.cfg is the tutorial's: Debian's global and defaults sections, and one pool. It is the
// same on every balancer, as the anchor address comes from the environment. nginx.conf admits the
// balancers' private addresses only, and answers with the server's name and who asked. Its answer
// is in a named location because "return" in the first one would take effect before allow and deny.
//
// haproxy-sites.cfg is that of a lab with sites: TLS passed through to each site's own servers, as in
// front of Exchange.
var (
	//go:embed templates/haproxy.cfg
	haproxyTemplate string
	//go:embed templates/haproxy-sites.cfg
	haproxySitesTemplate string
	//go:embed templates/nginx.conf
	nginxTemplate string
)

// Generate returns a configuration file that the lab delivers the node with: corosync.conf or
// haproxy.cfg of a balancer, nginx.conf of an application server. It makes no lab.
func (o Options) Generate(file, node string) (string, error) {
	o = o.withDefaults()
	if err := o.checkSize(); err != nil {
		return "", fmt.Errorf("lab: %w", err)
	}
	l := &Lab{spec: Spec{Name: o.Name, Nodes: o.layout(), Totem: o.Totem,
		Sites: o.Sites, Qnetd: o.Qnetd, QnetdTimeout: o.QnetdTimeout}}
	n, err := l.Node(node)
	if err != nil {
		return "", err
	}
	switch {
	case file == "corosync.conf" && n.Role == Balancer:
		return l.spec.corosyncConf(), nil
	case file == "haproxy.cfg" && n.Role == Balancer:
		return l.spec.haproxyCfg()
	case file == "nginx.conf" && n.Role == AppServer:
		return l.spec.nginxConf(n)
	}
	return "", fmt.Errorf(
		"lab: %s of %s: a balancer has corosync.conf and haproxy.cfg, an application server has "+
			"nginx.conf",
		file,
		node,
	)
}

// corosyncConf lists the balancers. One of two keeps running alone, and may start alone.
func (s Spec) corosyncConf() string {
	c := corosync.Cluster{
		Name:       clusterName,
		Timing:     s.Totem,
		LogFile:    "/var/log/corosync/corosync.log",
		StartAlone: true,
	}
	if s.Qnetd == QnetdVotes {
		d := device(len(s.nodes(Balancer)), s.QnetdTimeout)
		c.Device = &d
	}
	for _, n := range s.nodes(Balancer) {
		c.Nodes = append(
			c.Nodes,
			corosync.Member{Name: n.Name, Addresses: []string{n.Private.Addr().String()}},
		)
	}
	if s.Qnetd != NoQnetd {
		return c.Conf() + sharedProcessors
	}
	return c.Conf()
}

// sharedProcessors has Corosync do without its realtime priority. While it waits for a quorum
// device's vote, its token goes round as fast as it can: the Corosyncs of all nodes, which share this
// machine's processors, would leave none to corosync-qdevice, whose vote they wait for.
const sharedProcessors = `
system {
	sched_rr: no
}
`

// siteHost is the name that the sites' servers have a certificate for.
const siteHost = "mail.example.com"

func (s Spec) haproxyCfg() (string, error) {
	if len(s.Sites) > 0 {
		return s.haproxySitesCfg()
	}
	return fill("haproxy.cfg", haproxyTemplate, struct{ Servers []Node }{s.nodes(AppServer)})
}

func (s Spec) haproxySitesCfg() (string, error) {
	type site struct {
		Name    string
		Servers []Node
	}
	data := struct {
		Host  string
		Sites []site
	}{Host: siteHost}
	for _, at := range s.Sites {
		servers := slices.DeleteFunc(s.site(at.Name), func(n Node) bool { return n.Role != AppServer })
		data.Sites = append(data.Sites, site{at.Name, servers})
	}
	return fill("haproxy-sites.cfg", haproxySitesTemplate, data)
}

func (s Spec) nginxConf(n Node) (string, error) {
	return fill("nginx.conf", nginxTemplate, struct {
		Server    Node
		Balancers []Node
	}{n, s.nodes(Balancer)})
}

func fill(name, text string, data any) (string, error) {
	t, err := template.New(name).Parse(text)
	if err != nil {
		return "", fmt.Errorf("lab: template %s: %w", name, err)
	}
	var b strings.Builder
	if err := t.Execute(&b, data); err != nil {
		return "", fmt.Errorf("lab: template %s: %w", name, err)
	}
	return b.String(), nil
}

// nodes returns the nodes of the role.
func (s Spec) nodes(r Role) []Node {
	return slices.DeleteFunc(slices.Clone(s.Nodes), func(n Node) bool { return n.Role != r })
}
