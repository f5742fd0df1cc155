package lab

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Site is a data centre: balancers, application servers and a client at switches of its own, one
// for the public network and one for the private one. The switches of all sites are joined by
// links, so that each network is one Ethernet across the sites. What belongs to no site (the cloud,
// the client behind it, the third place with corosync-qnetd) has links of its own to each.
type Site struct {
	Name      string
	Balancers int
}

// siteNames are the names of sites unless they are given others, and with them how many there can be.
var siteNames = []string{"main", "reserve", "third", "fourth"}

var (
	sitesTimes = regexp.MustCompile(`^([0-9]+)x([0-9]+)$`)
	siteName   = regexp.MustCompile(`^[a-z][a-z0-9-]{0,9}$`)
)

// ParseSites reads sites as they are given on a command line: 2x2, which is two sites with two
// balancers each, called main and reserve, or main=2,reserve=1.
func ParseSites(text string) ([]Site, error) {
	var sites []Site
	if m := sitesTimes.FindStringSubmatch(text); m != nil {
		n, errN := strconv.Atoi(m[1])
		balancers, errB := strconv.Atoi(m[2])
		if errN != nil || errB != nil || n < 2 || n > len(siteNames) {
			return nil, fmt.Errorf("sites %q: there can be 2 to %d", text, len(siteNames))
		}
		for _, name := range siteNames[:n] {
			sites = append(sites, Site{name, balancers})
		}
		return sites, checkSites(sites)
	}
	for word := range strings.SplitSeq(text, ",") {
		name, number, ok := strings.Cut(word, "=")
		n, err := strconv.Atoi(number)
		if !ok || err != nil {
			return nil, fmt.Errorf("sites %q: write 2x2, or NAME=BALANCERS for each, as in "+
				"main=2,reserve=2", text)
		}
		sites = append(sites, Site{name, n})
	}
	return sites, checkSites(sites)
}

// reserved are names that mean something else where a site's name may stand.
var reserved = regexp.MustCompile(`^(cloud|client|qnetd|public|private|far|(lb|app|client)-[0-9]+)$`)

func checkSites(sites []Site) error {
	if len(sites) == 0 {
		return nil
	}
	var wrong []error
	if len(sites) == 1 || len(sites) > len(siteNames) {
		wrong = append(wrong, fmt.Errorf("%d sites: there can be 2 to %d", len(sites),
			len(siteNames)))
	}
	seen := map[string]bool{}
	for _, s := range sites {
		switch {
		case !siteName.MatchString(s.Name):
			wrong = append(wrong, fmt.Errorf("site %q: use at most 10 lower-case letters, digits and "+
				"dashes, a letter first", s.Name))
		case reserved.MatchString(s.Name):
			wrong = append(wrong, fmt.Errorf("site %q: that is the name of something else in a lab",
				s.Name))
		case seen[s.Name]:
			wrong = append(wrong, fmt.Errorf("site %s is given twice", s.Name))
		}
		seen[s.Name] = true
		if s.Balancers < 1 || s.Balancers > 8 {
			wrong = append(wrong, fmt.Errorf("site %s: %d balancers: there can be 1 to 8", s.Name,
				s.Balancers))
		}
	}
	return errors.Join(wrong...)
}

// The third place.
const (
	// Arbiter runs corosync-qnetd, to whom the balancers leave the decision which of two halves
	// goes on.
	Arbiter Role = "quorum device"

	qnetdNode = "qnetd"
	qnetdHost = 5
	// siteClientHost is the host number before that of the first site's client.
	siteClientHost = 60
)

// Qnetd says whether there is a third place, and whether the cluster knows of it.
type Qnetd string

// What there is at a third place.
const (
	NoQnetd Qnetd = ""
	// QnetdVotes has corosync-qnetd vote.
	QnetdVotes Qnetd = "yes"
	// QnetdApart has corosync-qnetd run, but not in the balancers' corosync.conf: to try how it is
	// added.
	QnetdApart Qnetd = "apart"
)

// spread assigns the nodes to the sites: balancers in their order, so many application servers each,
// and gives each site a client.
func spread(sites []Site, apps int) []Node {
	total := 0
	for _, s := range sites {
		total += s.Balancers
	}
	nodes := layout(total, apps*len(sites))
	balancer, app := 0, total
	for _, s := range sites {
		for range s.Balancers {
			nodes[balancer].Site = s.Name
			balancer++
		}
		for range apps {
			nodes[app].Site = s.Name
			app++
		}
	}
	for i, s := range sites {
		nodes = append(nodes, Node{
			Name: fmt.Sprintf("client-%d", i+1), Role: Customer, Site: s.Name,
			Public:  host(publicNet, siteClientHost+i+1),
			Public6: host(publicNet6, siteClientHost+i+1),
		})
	}
	return nodes
}

// arbiter is the node at the third place.
func arbiter() Node {
	return Node{Name: qnetdNode, Role: Arbiter, Private: host(privateNet, qnetdHost)}
}

// site returns the nodes of the site.
func (s Spec) site(name string) []Node {
	var nodes []Node
	for _, n := range s.Nodes {
		if n.Site == name {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

func (s Spec) hasSite(name string) bool {
	for _, site := range s.Sites {
		if site.Name == name {
			return true
		}
	}
	return false
}

// at is the switch of the network at which the node is.
func (n Node) at(network string) string {
	if n.Site == "" || network == farBridge {
		return network
	}
	return siteBridge(n.Site, network)
}

// stretched are the networks that reach into every site, and what their devices are called there:
// names of interfaces have at most 15 letters.
var stretched = map[string]string{publicBridge: "pub", privateBridge: "priv"}

func siteBridge(site, network string) string { return site + "-" + stretched[network] }

// trunk returns the ends of the link between the site's switch and the one in the middle, to which
// the links of all sites go: what passes from one site to another passes there.
func trunk(site, network string) (middle, edge string) {
	return site + "." + stretched[network], site + "_" + stretched[network]
}

// count says in words how many nodes there are.
func (s Spec) count() string {
	balancers, apps := len(s.nodes(Balancer)), len(s.nodes(AppServer))
	text := fmt.Sprintf("%d balancers, %d application servers and a client", balancers, apps)
	if len(s.Sites) == 0 && s.Qnetd == NoQnetd {
		return text
	}
	if n := len(s.Sites); n > 0 {
		text = fmt.Sprintf("%d balancers, %d application servers and %d clients at %d sites",
			balancers, apps, len(s.nodes(Customer)), n)
	}
	if s.Qnetd != NoQnetd {
		text += ", and " + qnetdNode + " at a third place"
	}
	return text
}
