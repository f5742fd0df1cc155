package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/hawser-ha/hawser/lab/cloud"
)

// CloudOptions of ServeCloud. The machines have the names and addresses that the nodes of a lab
// have.
type CloudOptions struct {
	// Name is the lab name under which the cloud can be controlled; DefaultName if empty.
	Name string
	// State is the directory that keeps what a reboot of the cloud must not change: the
	// certificates that the balancers trust.
	State string
	// Balancers and Apps are how many there are.
	Balancers, Apps int
	// Token is the API token.
	Token string
	// Publish is where ca.pem, the certificate that balancers have to trust, is served over HTTP,
	// as address:port; it is not served if empty.
	Publish string
	// ActionTime is how long the cloud takes to move an address; one second if zero.
	ActionTime time.Duration
}

// visitor is the address from which this machine itself asks for what is at a floating address, as
// a client far away would.
// RFC 2544: no network that a machine is likely to be in
var visitor = netip.MustParsePrefix("198.18.0.2/32")

// ServeCloud makes this machine, which is one of several on real networks and not a namespace,
// their cloud and the router of its floating addresses, until the context ends. The machine has the
// router's addresses already. It is the client too: its own packets to a floating address take the
// same path as a client's.
func ServeCloud(ctx context.Context, o CloudOptions) error {
	dir, err := stateDir(cmp.Or(o.Name, DefaultName))
	if err != nil {
		return err
	}
	if o.Balancers < 1 || o.Balancers > 32 || o.Apps < 1 || o.Apps > 32 {
		return fmt.Errorf(
			"lab: serve the cloud: %d balancers and %d application servers: there can be 1 to 32 "+
				"of each",
			o.Balancers, o.Apps)
	}
	if err := mine(API, Metadata, host(anchorNet, routerHost).Addr()); err != nil {
		return err
	}
	l := &Lab{dir: dir, spec: Spec{
		Name: cmp.Or(o.Name, DefaultName), Nodes: layout(o.Balancers, o.Apps),
		FloatingIPs: []netip.Addr{FloatingIP},
		ActionTime:  cmp.Or(o.ActionTime, time.Second), Token: o.Token,
		NarrowToken: "dop_v1_" + hexString(32), Started: time.Now(),
	}}
	if err := l.keepState(o.State); err != nil {
		return fmt.Errorf("lab: serve the cloud: %w", err)
	}
	if err := serveCloud(dir, func(*Lab) cloud.Machines { return elsewhere{} }); err != nil {
		return err
	}
	if err := routeOwn(ctx); err != nil {
		return err
	}
	if o.Publish != "" {
		at, err := net.Listen("tcp", o.Publish)
		if err != nil {
			return fmt.Errorf("lab: serve the cloud: publish ca.pem: %w", err)
		}
		mux := http.NewServeMux()
		// the client has gone: nobody to tell
		mux.HandleFunc("GET /ca.pem",
			func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(l.spec.CA)) })
		serve(func(s *http.Server) error { return s.Serve(at) }, mux)
	}
	logf("the cloud answers: API at %s, metadata at http://%s, floating addresses %v", APIOrigin,
		Metadata, l.spec.FloatingIPs)
	<-ctx.Done()
	return nil
}

// elsewhere stands for machines whose power switches this cloud cannot reach. It must never say
// that one is off.
type elsewhere struct{}

var _ cloud.Machines = elsewhere{}

var errElsewhere = errors.New("lab: cloud: this cloud does not reach the power of its machines: " +
	"switch them where they run (vagrant halt --force, vagrant up)")

func (elsewhere) Running(int) bool   { return true }
func (elsewhere) Cut(int) error      { return errElsewhere }
func (elsewhere) Boot(int) error     { return errElsewhere }
func (elsewhere) Shutdown(int) error { return errElsewhere }

// mine finds addresses that this machine does not have.
func mine(want ...netip.Addr) error {
	var missing []error
	for _, ip := range want {
		at, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, 0)))
		if err != nil {
			missing = append(missing,
				fmt.Errorf(
					"lab: serve the cloud: %s is not this machine's: give it to the interface on "+
						"the balancers' public network: %w",
					ip, err))
			continue
		}
		_ = at.Close()
	}
	return errors.Join(missing...)
}

// keepState makes the state directory through which the cloud is controlled, with what is kept over
// a reboot.
func (l *Lab) keepState(state string) error {
	if err := os.MkdirAll(l.dir, 0o755); err != nil {
		return err
	}
	if err := os.MkdirAll(state, 0o700); err != nil {
		return err
	}
	// A socket left by the previous run would prevent listening on the address.
	if err := os.Remove(l.path("cloud.sock")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	kept := []string{"api.crt", "api.key", "ca.pem"}
	_, err := os.Stat(filepath.Join(state, kept[len(kept)-1])) // written last
	switch {
	case errors.Is(err, os.ErrNotExist):
		if err := l.makeCertificates(); err != nil {
			return err
		}
		if err := os.WriteFile(l.path("ca.pem"), []byte(l.spec.CA), 0o600); err != nil {
			return err
		}
		if err := copyFiles(l.dir, state, kept); err != nil {
			return err
		}
	case err != nil:
		return err
	default:
		if err := copyFiles(state, l.dir, kept); err != nil {
			return err
		}
		ca, err := os.ReadFile(l.path("ca.pem"))
		if err != nil {
			return err
		}
		l.spec.CA = string(ca)
	}
	return writeJSON(l.path("lab.json"), l.spec)
}

func copyFiles(from, to string, names []string) error {
	for _, name := range names {
		b, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, name), b, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// routeOwn sends this machine's own packets to a floating address the way a router's packets go. A
// machine's own packets are translated after the route was found, so there has to be one; a packet
// that is not translated has no holder and is dropped.
func routeOwn(ctx context.Context) error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("lab: serve the cloud: find lo: %w", err)
	}
	if err := netlink.AddrReplace(lo, &netlink.Addr{IPNet: ipNet(visitor)}); err != nil {
		return fmt.Errorf("lab: serve the cloud: add %s to lo: %w", visitor, err)
	}
	routes, err := netlink.RouteGet(host(anchorNet, balancerHost).Addr().AsSlice())
	if err != nil || len(routes) == 0 {
		return fmt.Errorf("lab: serve the cloud: no route to the anchor addresses, %s: %w",
			anchorNet, err)
	}
	route := &netlink.Route{
		LinkIndex: routes[0].LinkIndex,
		Dst:       ipNet(netip.PrefixFrom(FloatingIP, FloatingIP.BitLen())),
		Scope:     netlink.SCOPE_LINK,
		Src:       visitor.Addr().AsSlice(),
	}
	if err := netlink.RouteReplace(route); err != nil {
		return fmt.Errorf("lab: serve the cloud: route %s: %w", FloatingIP, err)
	}
	ctx, cancel := context.WithTimeout(ctx, routerTimeout)
	defer cancel()
	_, err = tool(ctx,
		fmt.Sprintf(
			"*nat\n-A OUTPUT -j FLOATING\nCOMMIT\n*filter\n-A OUTPUT -d %s -j DROP\nCOMMIT\n",
			FloatingIP),
		"iptables-restore", "--noflush")
	return err
}
