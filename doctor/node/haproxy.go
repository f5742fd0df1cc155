package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/procfs"
)

func (n Node) unitCheck() doctor.Check {
	return doctor.Check{
		Name: "haproxy-unit",
		Short: "a haproxy.service of systemd that is enabled or runs " +
			"beside the cluster's HAProxy",
		Worst: doctor.Error,
		Why: "systemd's HAProxy takes the addresses: connections are shared out between two " +
			"configurations, and after a boot the cluster's cannot start",
		Remedy: "systemctl disable --now haproxy.service",
		Run: n.demands(func(ctx context.Context, d inventory.Declared) ([]doctor.Finding, error) {
			if len(d.HAProxies) == 0 {
				return nil, nil // HAProxy is systemd's business until the cluster runs one
			}
			units := []string{contract.DefaultUnit}
			for _, h := range d.HAProxies {
				if h.Unit != "none" && !slices.Contains(units, h.Unit) {
					units = append(units, h.Unit)
				}
			}
			var found []doctor.Finding
			var errs []error
			for _, name := range units {
				u, err := n.Unit(ctx, name)
				if err != nil {
					errs = append(errs, err)
					continue
				}
				switch {
				case u.Runs() && u.Enabled():
					found = append(found,
						n.found(doctor.Error, name, name+" runs, and is enabled",
							"two HAProxies share the connections out between them, or one of "+
								"them cannot start; "+
								"the next boot starts systemd's first", u.Disable()))
				case u.Runs():
					found = append(found,
						n.found(doctor.Error, name, name+" runs",
							"two HAProxies share the connections out between them, or one of "+
								"them cannot start",
							u.Disable()))
				case u.Enabled():
					found = append(found,
						n.found(doctor.Error, name, name+" is enabled",
							"at the next boot systemd starts a HAProxy that takes the addresses "+
								"before the cluster does",
							u.Disable()))
				}
			}
			return found, errors.Join(errs...)
		}),
	}
}

func (n Node) unitFilesCheck() doctor.Check {
	return doctor.Check{
		Name: "haproxy-files",
		Short: "files that HAProxy reads where haproxy.service starts it, and not under the " +
			"cluster",
		Worst: doctor.Warning,
		Why: "the sites in these files are gone as soon as the cluster runs HAProxy instead of " +
			"systemd",
		Remedy: "haproxy.extra: -f /etc/haproxy/conf.d in hawser.yaml, or the parameter extraconf",
		Run: n.ofHAProxies(
			func(ctx context.Context, h inventory.HAProxy) ([]doctor.Finding, error) {
				missing, err := n.UnitFiles(ctx, h)
				if err != nil || missing == "" {
					return nil, err
				}
				return []doctor.Finding{n.found(doctor.Warning, h.Resource, missing,
					"what these files configure is not served by the cluster")}, nil
			}),
	}
}

func (n Node) configCheck() doctor.Check {
	return doctor.Check{
		Name: "haproxy-config",
		Short: "a configuration of HAProxy that is missing here, or that " +
			"HAProxy refuses",
		Worst: doctor.Error, Timeout: 30 * time.Second,
		Why: "HAProxy cannot be started or reloaded with it; one that runs keeps what " +
			"it had, until it has to be started again",
		Remedy: "haproxy -c -f FILE, then hawser reload",
		Run: n.ofHAProxies(
			func(ctx context.Context, h inventory.HAProxy) ([]doctor.Finding, error) {
				err := n.CheckConfig(ctx, h)
				if err == nil || unanswered(err) {
					return nil, err
				}
				return []doctor.Finding{n.found(doctor.Error, h.Resource, err.Error(),
					"HAProxy cannot be started with it here, nor reloaded: at the next failure "+
						"this node cannot serve",
					quoted(append([]string{h.Binary, "-W", "-c", "-f", h.Config}, h.Extra...)),
					"hawser reload "+doctor.Quote(h.Resource))}, nil
			}),
	}
}

// unanswered reports whether HAProxy gave no verdict on the configuration: it took too long (it
// resolves names), or this machine had no room to run it.
func unanswered(err error) bool {
	for _, reason := range []error{
		context.DeadlineExceeded, context.Canceled, syscall.EAGAIN, syscall.ENOMEM, syscall.EMFILE,
		syscall.ENFILE,
	} {
		if errors.Is(err, reason) {
			return true
		}
	}
	return false
}

func (n Node) bindCheck() doctor.Check {
	return doctor.Check{
		Name: "haproxy-bind",
		Short: "an address that HAProxy should bind and that is not here, or is taken by another " +
			"program",
		Worst: doctor.Error,
		Why: "HAProxy does not start on a node that lacks the address; colocated with that " +
			"address, it starts on no node",
		Remedy: `sysctl -w net.ipv4.ip_nonlocal_bind=1 for an address that moves on a LAN, bind ` +
			`"${HAWSER_ANCHOR_IP}:80" for a cloud's`,
		Run: n.demands(func(ctx context.Context, d inventory.Declared) ([]doctor.Finding, error) {
			floating := map[netip.Addr]inventory.Address{}
			for _, a := range d.Addresses {
				if ip, err := netip.ParseAddr(a.IP); err == nil {
					floating[ip] = a
				}
			}
			var found []doctor.Finding
			var errs []error
			for _, h := range d.HAProxies {
				sources, err := h.Sources()
				if err != nil {
					continue // haproxy-config reports it
				}
				env, err := n.Environment(ctx, h)
				if err != nil {
					errs = append(errs, fmt.Errorf("%s: %w", h.Resource, err))
					continue
				}
				reported := map[string]bool{} // of each line once: it may name a thousand ports
				for _, b := range haproxy.Bindings(sources, procfs.Getenv(env)) {
					f, ok := n.tryBinding(h, b, floating)
					if key := b.Place + b.Addr.Addr().String() + f.Why; ok && !reported[key] {
						reported[key] = true
						found = append(found, f)
					}
				}
			}
			return found, errors.Join(errs...)
		}),
	}
}

// tryBinding binds an address, without listening on it, and says what is wrong if it cannot.
func (n Node) tryBinding(
	h inventory.HAProxy, b haproxy.Binding, floating map[netip.Addr]inventory.Address,
) (doctor.Finding, bool) {
	ip := b.Addr.Addr()
	subject := fmt.Sprintf("%s (%s)", b.Addr, b.Place)
	file, line, _ := strings.Cut(b.Place, ":")
	sysctl := "net.ipv4.ip_nonlocal_bind"
	if ip.Is6() {
		sysctl = "net.ipv6.ip_nonlocal_bind"
	}
	nonlocal := n.sysctl(sysctl) == "1"
	a, floats := floating[ip]
	err := b.Try()
	switch {
	case slices.Contains(h.After, ip) && !errors.Is(err, syscall.EADDRINUSE):
		// its group puts the address there first
	case floats && a.Provider == contract.LAN && !nonlocal:
		what := fmt.Sprintf(
			"HAProxy binds %s, which the cluster moves from node to node, and %s is 0", subject,
			sysctl)
		return n.found(doctor.Error, h.Resource, what,
			"HAProxy can start only where the address already is, and the address goes only "+
				"where HAProxy runs",
			"sysctl -w "+sysctl+"=1",
			fmt.Sprintf("echo '%s = 1' >>/etc/sysctl.d/60-hawser.conf", sysctl)), true
	case floats && a.Provider == contract.DigitalOcean &&
		(errors.Is(err, syscall.EADDRNOTAVAIL) || err == nil && nonlocal && !hasAddress(ip)):
		return n.found(doctor.Error, h.Resource,
			fmt.Sprintf(
				"HAProxy binds %s, which is never on a machine: its traffic arrives at the "+
					"anchor address",
				subject),
			"HAProxy cannot start here, or nothing that is sent there reaches it",
			fmt.Sprintf(`sed -i '%ss/%s/"${HAWSER_ANCHOR_IP}:%d"/' %s`, line, b.Addr, b.Addr.Port(),
				doctor.Quote(file)),
			"hawser reload "+doctor.Quote(h.Resource)), true
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return n.found(doctor.Error, h.Resource,
			fmt.Sprintf("HAProxy binds %s, and no interface of this node has that address",
				subject),
			"HAProxy cannot start here", "ip address show",
			fmt.Sprintf(
				"sysctl -w %s=1   # for an address that another resource brings; and into "+
					"/etc/sysctl.d/60-hawser.conf",
				sysctl)), true
	case errors.Is(err, syscall.EADDRINUSE):
		return n.found(doctor.Error, h.Resource,
			fmt.Sprintf("HAProxy binds %s, which another program holds", subject),
			"HAProxy cannot start, or reload, here",
			fmt.Sprintf("ss -ltnp 'sport = :%d'", b.Addr.Port())), true
	}
	return doctor.Finding{}, false
}

// hasAddress reports whether an interface of this machine has the address.
func hasAddress(ip netip.Addr) bool {
	all, err := net.InterfaceAddrs()
	return err != nil || slices.ContainsFunc(all, func(a net.Addr) bool {
		// unknown is no fault of the configuration
		p, err := netip.ParsePrefix(a.String())
		return err == nil && p.Addr().Unmap().WithZone("") == ip
	})
}

// sysctl returns a kernel parameter of this network namespace, "" if this kernel does not have it.
func (n Node) sysctl(name string) string {
	return procfs.Default.Sysctl(name)
}

func (n Node) sysctlNumber(name string) (int, bool) {
	v, err := strconv.Atoi(n.sysctl(name))
	return v, err == nil
}

// quoted returns a command line of the words.
func quoted(words []string) string {
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = doctor.Quote(w)
	}
	return strings.Join(all, " ")
}
