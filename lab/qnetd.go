package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/internal/corosync"
)

// The databases of the certificates by which corosync-qnetd and the clusters that it serves know
// each other. Debian's programs have them there.
const (
	qnetdDatabase   = "/etc/corosync/qnetd/nssdb"
	qdeviceDatabase = "/etc/corosync/qdevice/net/nssdb"
)

// clusterName is the name of every lab's cluster. A corosync-qnetd tells clusters apart by it, and
// each lab has its own.
const clusterName = "hawser-lab"

// device is what the corosync.conf of so many balancers says about corosync-qnetd. An odd number has
// no two halves.
func device(balancers int, timeout time.Duration) corosync.Device {
	d := corosync.Device{
		Host: arbiter().Private.Addr().String(), Timeout: timeout, SyncTimeout: 3 * timeout,
	}
	if balancers%2 != 0 {
		d.Algorithm = corosync.LMS
	}
	return d
}

// qnetdPrograms lists what the quorum device needs.
func (o Options) qnetdPrograms() []string {
	if o.Qnetd == NoQnetd {
		return nil
	}
	return []string{
		"corosync-qnetd", "corosync-qnetd-certutil", "corosync-qdevice",
		"corosync-qdevice-net-certutil", "certutil", "pk12util",
	}
}

// certificatesTime is how long the tools may take; they make three keys.
const certificatesTime = time.Minute

// makeQnetdCertificates has the tools of corosync-qnetd and corosync-qdevice make their
// certificates, in the order in which an operator uses them, but on this machine: with an empty
// directory in place of its /etc/corosync, which nobody else sees. The result is kept for the
// nodes.
func (l *Lab) makeQnetdCertificates(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, certificatesTime)
	defer cancel()
	err := onThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_FS); err != nil {
			return fmt.Errorf("unshare mounts: %w", err)
		}
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			return fmt.Errorf("keep mounts to this thread: %w", err)
		}
		if err := l.mountForTools(); err != nil {
			return err
		}
		below := func(path string) string { return filepath.Join("/", l.spec.Root, path) }
		if err := os.MkdirAll(below(path.Dir(qnetdDatabase)), 0o755); err != nil {
			return err
		}
		authority := qnetdDatabase + "/qnetd-cacert.crt"
		commands := [][]string{
			{"corosync-qnetd-certutil", "-i", "-G"},
			{"corosync-qdevice-net-certutil", "-i", "-c", authority},
			{"corosync-qdevice-net-certutil", "-r", "-n", clusterName},
			{
				"corosync-qnetd-certutil", "-s", "-n", clusterName, "-c",
				qdeviceDatabase + "/qdevice-net-node.crq",
			},
			{
				"corosync-qdevice-net-certutil", "-M", "-c",
				qnetdDatabase + "/cluster-" + clusterName + ".crt",
			},
		}
		made := map[string]string{qnetdDatabase: "qnetd.certs", qdeviceDatabase: "qdevice.certs"}
		if l.spec.Qnetd == QnetdApart { // what belongs to the cluster is for somebody else to make
			commands = commands[:1]
			delete(made, qdeviceDatabase)
		}
		for _, args := range commands {
			said, err := toolBelow(ctx, l.spec.Root, "", args[0], args[1:]...)
			if err != nil {
				return fmt.Errorf("%w: %s", err, strings.TrimSpace(said))
			}
		}
		for from, to := range made {
			if err := os.CopyFS(l.path(to), os.DirFS(below(from))); err != nil {
				return fmt.Errorf("keep %s: %w", from, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("lab: make the quorum device's certificates: %w", err)
	}
	return nil
}

// mountForTools puts what the tools need into the root file system in which they run.
func (l *Lab) mountForTools() error {
	at := filepath.Join("/", l.spec.Root, "etc/corosync")
	if err := unix.Mount("tmpfs", at, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV,
		"mode=0755"); err != nil {
		return fmt.Errorf("mount a tmpfs on %s: %w", at, err)
	}
	if l.spec.Root == "" {
		return nil
	}
	for _, dir := range []string{"/dev", "/proc"} {
		to := filepath.Join(l.spec.Root, dir)
		if err := unix.Mount(dir, to, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return fmt.Errorf("bind %s to %s: %w", dir, to, err)
		}
	}
	return nil
}

// joinDevice adds to the instructions of a node what the quorum device needs there.
func (l *Lab) joinDevice(m *machine, n Node, first bool) error {
	var kept, database string
	switch {
	case n.Role == Arbiter:
		m.Services = []service{{
			Name: "corosync-qnetd", Args: []string{"corosync-qnetd", "-f"}, Stop: 5 * time.Second,
		}}
		m.RunDirs = []file{{Path: "/run/corosync-qnetd", Mode: os.ModeDir | 0o770}}
		kept, database = "qnetd.certs", qnetdDatabase
	case n.Role == Balancer && l.spec.Qnetd == QnetdApart:
		m.RunDirs = []file{{Path: "/run/corosync-qdevice", Mode: os.ModeDir | 0o770}}
	case n.Role == Balancer:
		// Between Corosync and Pacemaker, so that Pacemaker stops first; and not before Corosync has
		// quorum, if it gets it by itself: while the nodes find each other for the first time,
		// corosync-qdevice may go on to vote for a membership that has passed ("called with old ring
		// id"), for minutes. systemd starts it when Corosync says that it is ready, which is later
		// than that it listens.
		m.Services = append(m.Services[:1:1], append([]service{{
			Name: qdeviceService, Args: []string{"corosync-qdevice", "-f"},
			Sockets: []string{"cmap", "votequorum"}, Until: []string{"corosync-quorumtool", "-s"},
			Stop: 10 * time.Second,
		}}, m.Services[1:]...)...)
		m.RunDirs = []file{{Path: "/run/corosync-qdevice", Mode: os.ModeDir | 0o770}}
		kept, database = "qdevice.certs", qdeviceDatabase
	}
	if !first {
		return nil
	}
	m.Wipe = append(m.Wipe, "/etc/corosync/qnetd/nssdb/*", "/etc/corosync/qdevice")
	if kept == "" {
		return nil
	}
	entries, err := os.ReadDir(l.path(kept))
	if err != nil {
		return fmt.Errorf("lab: the quorum device's certificates: %w", err)
	}
	for _, e := range entries {
		data, err := os.ReadFile(l.path(kept, e.Name()))
		if err != nil {
			return fmt.Errorf("lab: the quorum device's certificates: %w", err)
		}
		m.Files = append(m.Files, file{
			Path: path.Join(database, e.Name()), Mode: 0o600, Data: data,
		})
	}
	return nil
}

const qdeviceService = "corosync-qdevice"

// votesWait is the deadline of WaitVotes unless the caller's context has an earlier one.
const votesWait = 60 * time.Second

// Votes are what the Corosync of the node counts.
func (l *Lab) Votes(ctx context.Context, node string) (corosync.Votes, error) {
	out, _, err := l.Exec(ctx, node, "corosync-quorumtool", "-sp")
	var exit *ExitError
	if errors.As(err, &exit) && out != "" {
		err = nil // it ends with 2 where there is no quorum
	}
	if err != nil {
		return corosync.Votes{}, err
	}
	return corosync.ParseVotes(out)
}

// WaitVotes waits until every balancer that runs counts all votes, the quorum device's among them.
func (l *Lab) WaitVotes(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, votesWait)
	defer cancel()
	for _, n := range l.Nodes(Balancer) {
		if !l.Running(n.Name) {
			continue
		}
		for {
			v, err := l.Votes(ctx, n.Name)
			if err == nil && v.Quorate && v.Total == v.Expected && v.DeviceVotes > 0 {
				break
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("lab: wait until corosync-qnetd votes: %s last counted %d of %d "+
					"votes, %d of the device: %w; its console:\n%s", n.Name, v.Total, v.Expected,
					v.DeviceVotes, errors.Join(ctx.Err(), err), tail(l.ConsoleLog(n.Name), 5))
			case <-time.After(200 * time.Millisecond):
			}
		}
	}
	return nil
}
