package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/lab/cloud"
)

// startCloud plugs the router in and starts the cloud in it.
func (l *Lab) startCloud() error {
	if err := l.plug(cloudNode, cloudNICs()); err != nil {
		return err
	}
	_, err := l.spawn(l.netnsPath(cloudNode), argCloud, l.dir, l.CloudLog(), 0)
	return err
}

// runCloud is the process of the cloud: the simulated DigitalOcean, and the router that carries
// floating addresses.
func runCloud(dir string) int {
	keepReady()
	err := serveCloud(dir, func(l *Lab) cloud.Machines { return machines{l} })
	ready(err)
	if err != nil {
		return 1
	}
	select {} // until the lab is taken down
}

// serveCloud serves the cloud of the lab whose state is in dir; power switches its droplets.
func serveCloud(dir string, power func(*Lab) cloud.Machines) error {
	var spec Spec
	b, err := os.ReadFile(filepath.Join(dir, "lab.json"))
	if err == nil {
		err = json.Unmarshal(b, &spec)
	}
	if err != nil {
		return fmt.Errorf("lab: cloud: %w", err)
	}
	c := cloud.New(cloud.Options{ActionTime: spec.ActionTime, Tokens: map[string][]string{
		spec.Token:       {cloud.AllScopes},
		spec.NarrowToken: {cloud.ScopeIPRead, cloud.ScopeIPUpdate},
	}})
	r := router{
		anchors: map[int]netip.Addr{}, public6: map[int]netip.Addr{}, holders: map[netip.Addr]int{},
	}
	metadata := map[netip.Addr]http.Handler{}
	for _, n := range (&Lab{spec: spec}).Nodes(Balancer) {
		c.AddDroplet(cloud.Droplet{
			ID: n.Droplet, Name: n.Name, Public: n.Public,
			PublicGateway: host(publicNet, routerHost).Addr(),
			Public6:       n.Public6, Gateway6: host(publicNet6, routerHost).Addr(),
			Anchor: n.Anchor, AnchorGateway: host(anchorNet, routerHost).Addr(), Private: n.Private,
		})
		r.anchors[n.Droplet], r.public6[n.Droplet] = n.Anchor.Addr(), n.Public6.Addr()
		metadata[n.Public.Addr()] = c.Metadata(n.Droplet)
		metadata[n.Anchor.Addr()] = metadata[n.Public.Addr()]
	}
	for _, ip := range spec.FloatingIPs {
		c.AddReservedIP(cloud.ReservedIP{IP: ip})
		r.holders[ip] = 0
	}
	c.OnMachines(power(&Lab{spec: spec, dir: dir}))
	if err := r.begin(); err != nil {
		return err
	}
	c.OnMove(func(ip netip.Addr, from, to int) {
		logf("%s moves from droplet %d to %d", ip, from, to)
		if err := r.move(ip, to); err != nil {
			logf("%v", err)
		}
	})
	// A client of the metadata service is identified by its address; without a droplet's address
	// there is no metadata.
	bySource := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		from, _ := netip.ParseAddrPort(req.RemoteAddr) // net/http's own words
		if h := metadata[from.Addr().Unmap()]; h != nil {
			h.ServeHTTP(w, req)
			return
		}
		http.NotFound(w, req)
	})
	for at, h := range map[string]http.Handler{
		API.String() + ":80": c.API(), API.String() + ":443": c.API(),
		Metadata.String() + ":80": bySource,
	} {
		l, err := net.Listen("tcp", at)
		if err != nil {
			return fmt.Errorf("lab: cloud: %w", err)
		}
		if strings.HasSuffix(at, ":443") {
			serve(func(s *http.Server) error {
				return s.ServeTLS(l, filepath.Join(dir, "api.crt"), filepath.Join(dir, "api.key"))
			}, h)
		} else {
			serve(func(s *http.Server) error { return s.Serve(l) }, h)
		}
	}
	l, err := net.Listen("unix", filepath.Join(dir, "cloud.sock"))
	if err != nil {
		return fmt.Errorf("lab: cloud: %w", err)
	}
	serve(func(s *http.Server) error { return s.Serve(l) }, c.Admin())
	return nil
}

func serve(run func(*http.Server) error, h http.Handler) {
	go func() {
		if err := run(&http.Server{Handler: h, ReadHeaderTimeout: time.Minute}); err != nil {
			logf("cloud: %v", err)
		}
	}()
}

// router is the data path: it sends what comes for a floating address to the droplet that holds it.
// An IPv4 packet is given the anchor address of the droplet as its destination, and keeps its
// source; an IPv6 packet is routed to the droplet as it is.
type router struct {
	anchors, public6 map[int]netip.Addr
	holders          map[netip.Addr]int
}

const routerTimeout = 10 * time.Second

// begin sets up what does not change: forwarding, no route for addresses that no droplet holds, and
// translation of answers.
func (r *router) begin() error {
	for path, value := range map[string]string{
		"ipv4/ip_forward": "1", "ipv6/conf/all/forwarding": "1", "ipv4/conf/all/rp_filter": "0",
		"ipv4/conf/default/rp_filter": "0",
	} {
		if err := os.WriteFile("/proc/sys/net/"+path, []byte(value), 0o644); err != nil {
			return fmt.Errorf("lab: router: %w", err)
		}
	}
	for ip := range r.holders {
		// A packet for an address without a holder is dropped silently, as in the real network.
		if err := netlink.RouteReplace(&netlink.Route{
			Dst: ipNet(netip.PrefixFrom(ip, ip.BitLen())), Type: unix.RTN_BLACKHOLE,
		}); err != nil {
			return fmt.Errorf("lab: router: route %s to nobody: %w", ip, err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), routerTimeout)
	defer cancel()
	// A packet that a balancer sends from its anchor address without answering anything must not
	// reach the client under that address; a balancer's own request to a floating address has to
	// come back this way.
	_, err := tool(ctx, fmt.Sprintf(`*nat
:PREROUTING ACCEPT [0:0]
:FLOATING - [0:0]
-A PREROUTING -j FLOATING
-A POSTROUTING -s %[1]s -d %[2]s -j SNAT --to-source %[3]s
COMMIT
*filter
-A FORWARD -s %[2]s -m conntrack ! --ctstate DNAT -j DROP
COMMIT
`, publicNet, anchorNet, host(anchorNet, routerHost).Addr()), "iptables-restore")
	return err
}

// move sends the address to the droplet, or to nobody if that is 0, in one step. Connections to the
// previous holder then reach the new one, which knows nothing about them.
func (r *router) move(ip netip.Addr, droplet int) error {
	former := r.holders[ip]
	r.holders[ip] = droplet
	if ip.Is6() {
		route := &netlink.Route{Dst: ipNet(netip.PrefixFrom(ip, 128))}
		if droplet == 0 {
			route.Type = unix.RTN_BLACKHOLE
		} else {
			route.Gw = r.public6[droplet].AsSlice()
		}
		if err := replaceRoute6(route); err != nil {
			return fmt.Errorf("lab: router: route %s to droplet %d: %w", ip, droplet, err)
		}
		return nil
	}
	rules := "*nat\n:FLOATING - [0:0]\n"
	for to, holder := range r.holders {
		if to.Is4() && holder != 0 {
			rules += fmt.Sprintf("-A FLOATING -d %s -j DNAT --to-destination %s\n", to,
				r.anchors[holder])
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), routerTimeout)
	defer cancel()
	if _, err := tool(ctx, rules+"COMMIT\n", "iptables-restore", "--noflush"); err != nil {
		return err
	}
	if former == 0 {
		return nil
	}
	// Not those that have since been made to the new holder: their answers would be dropped.
	old := &netlink.ConntrackFilter{}
	err := errors.Join(old.AddIP(netlink.ConntrackOrigDstIP, ip.AsSlice()),
		old.AddIP(netlink.ConntrackReplySrcIP, r.anchors[former].AsSlice()))
	if err != nil {
		return fmt.Errorf("lab: router: forget the connections to %s: %w", ip, err)
	}
	_, err = netlink.ConntrackDeleteFilters(netlink.ConntrackTable, unix.AF_INET, old)
	if err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("lab: router: forget the connections to %s: %w", ip, err)
	}
	return nil
}

// replaceRoute6 replaces the only route to the destination. The kernel replaces IPv6 routes only
// among those of one kind, so a blackhole is removed first.
func replaceRoute6(route *netlink.Route) error {
	routes, err := netlink.RouteListFiltered(netlink.FAMILY_V6, &netlink.Route{
		Dst: route.Dst,
	}, netlink.RT_FILTER_DST)
	if err != nil {
		return err
	}
	for _, old := range routes {
		if err := netlink.RouteDel(&old); err != nil {
			return err
		}
	}
	return netlink.RouteAdd(route)
}
