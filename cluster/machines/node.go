package machines

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hawser-ha/hawser/internal/corosync"
)

// Files of a node, as Debian and its kin have them.
const (
	// KeyFile is Corosync's key.
	KeyFile = "/etc/corosync/authkey"
	// NodeDir is where corosync-qdevice has what belongs to model net, NodeDB its certificates.
	NodeDir = "/etc/corosync/qdevice/net"
	NodeDB  = NodeDir + "/nssdb"
	// CANickname is what the certificate of corosync-qnetd's CA is called in there.
	CANickname = "QNet CA"
	// ClusterNickname is what the cluster's certificate is called.
	ClusterNickname = "Cluster Cert"
)

// Node is what was found on a node.
type Node struct {
	Name string
	// Err says why the node could not be asked, nil if it was: then nothing else is known.
	Err error
	// Assumed says that it was not asked, and is taken to be as it should be.
	Assumed bool
	// Hostname is what the machine calls itself.
	Hostname string
	// Addresses are those of its interfaces.
	Addresses []string
	// Conf is its corosync.conf, "" if it has none; ConfErr says why that cannot be read as one.
	Conf    string
	Written corosync.Keys
	ConfErr error
	// Running is what its Corosync has in force; nil if none answers. Votes is what it counts.
	Running corosync.Keys
	Votes   corosync.Votes
	// Mute says that one of Corosync's tools was given up there: what it did not say is not known.
	Mute bool
	// Programs are those of interest that are installed.
	Programs map[string]bool
	// Units are services with what systemd says of each: "active enabled".
	Units map[string]string
	// QDevice is what its corosync-qdevice says; nil if none answers.
	QDevice *corosync.QDevice
	// CA and Cert are its certificates for the quorum device, nil if it has none. HasKey says that
	// the key of Cert is there, and HasP12 that both are in a file for the other nodes.
	CA, Cert       *x509.Certificate
	HasKey, HasP12 bool
	// KeySum is the checksum of Corosync's key, "" if there is none.
	KeySum string
	// SBD is its SBD.
	SBD SBD
}

// SBD is what was found of SBD on a node.
type SBD struct {
	Running bool
	Disks   string
	Timeout time.Duration
}

// Diskless says whether SBD relies on the quorum.
func (s SBD) Diskless() bool { return s.Running && s.Disks == "" }

// Member says whether its Corosync has quorum or at least answers.
func (n Node) Member() bool { return n.Err == nil && n.Running != nil }

// Unknown is nil if it is known how the node is, and else says why it is not.
func (n Node) Unknown() error {
	if n.Err == nil && n.Mute {
		return fmt.Errorf("on %s Corosync does not answer: `corosync-quorumtool -s` hangs there, or "+
			"`corosync-qdevice-tool -s`", n.Name)
	}
	return n.Err
}

// Active says whether a service runs.
func (n Node) Active(unit string) bool { return strings.HasPrefix(n.Units[unit], "active ") }

// Enabled says whether a service starts at boot.
func (n Node) Enabled(unit string) bool { return strings.HasSuffix(n.Units[unit], " enabled") }

// askTime is how long a machine may take to say what is to be found on it.
const askTime = 30 * time.Second

// mark begins a part of what asking prints.
const mark = "-- hawser: "

// Marks defines, for a script that asks a machine, what begins a part: a line of its own, also after
// a file whose last line has no end.
const Marks = `s() { printf '\n` + mark + `%s\n' "$1"; }`

// askNode prints what is to be known of a node. It changes nothing. Its certificates are public.
const askNode = Marks + `
s hostname; uname -n
s addresses; ip -o addr show 2>/dev/null | awk '{sub("/.*", "", $4); print $4}'
s conf; cat ` + corosync.ConfFile + ` 2>/dev/null
a() { timeout 8 "$@" 2>/dev/null; [ $? -ne 124 ] || mute=yes; }
s running; a corosync-cmapctl
s votes; a corosync-quorumtool -sp
s qdevice; a corosync-qdevice-tool -s
s mute; echo $mute
s programs; for p in corosync pacemakerd corosync-qdevice certutil hawser; do
command -v $p >/dev/null && echo $p; done
s units; systemctl show --property=Id,ActiveState,UnitFileState ` +
	`corosync pacemaker corosync-qdevice 2>/dev/null
d=` + NodeDB + `
s ca; certutil -L -d $d -n "` + CANickname + `" -a 2>/dev/null
s cert; certutil -L -d $d -n "` + ClusterNickname + `" -a 2>/dev/null
s keys; certutil -K -d $d -f $d/pwdfile.txt 2>/dev/null
s p12; [ -s $d/qdevice-net-node.p12 ] && echo yes
s authkey; sha256sum <` + KeyFile + ` 2>/dev/null
s sbd; pidof sbd >/dev/null && echo running
for f in /etc/sysconfig/sbd /etc/default/sbd; do [ -r $f ] && . $f && break; done
echo "disks $SBD_DEVICE"; echo "timeout $SBD_WATCHDOG_TIMEOUT"
s end; :`

// Parts splits what asking a machine has printed.
func Parts(text string) map[string]string {
	parts, name := map[string]string{}, ""
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, mark); ok {
			parts[name] = strings.TrimSuffix(parts[name], "\n") // which is the mark's
			name = strings.TrimSpace(rest)
			continue
		}
		if name != "" {
			parts[name] += line
		}
	}
	return parts
}

// Ask asks a machine with a script, which has an "end" at its end.
func Ask(ctx context.Context, on Shell, machine, script string) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	out, err := on.Run(ctx, machine, script, nil)
	if err != nil {
		return nil, err
	}
	parts := Parts(out)
	if !strings.Contains(out, mark+"end") {
		return nil, &UnreachableError{Machine: machine, Command: "", Said: "its answer is incomplete"}
	}
	return parts, nil
}

// Nodes asks all nodes at the same time.
func Nodes(ctx context.Context, on Shell, names []string) []Node {
	all := make([]Node, len(names))
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() { all[i] = AskNode(ctx, on, name) })
	}
	wg.Wait()
	return all
}

// AskNode asks a node.
func AskNode(ctx context.Context, on Shell, name string) Node {
	parts, err := Ask(ctx, on, name, askNode)
	if err != nil {
		return Node{Name: name, Err: err}
	}
	return nodeOf(name, parts)
}

func nodeOf(name string, parts map[string]string) Node {
	n := Node{
		Name: name, Hostname: strings.TrimSpace(parts["hostname"]),
		Addresses: strings.Fields(parts["addresses"]), Conf: parts["conf"],
		Programs: map[string]bool{}, Units: map[string]string{},
		CA: Certificate(parts["ca"]), Cert: Certificate(parts["cert"]),
		HasP12: strings.TrimSpace(parts["p12"]) == "yes",
		Mute:   strings.TrimSpace(parts["mute"]) == "yes",
	}
	n.KeySum, _, _ = strings.Cut(strings.TrimSpace(parts["authkey"]), " ")
	n.Written, n.ConfErr = corosync.ConfKeys(n.Conf)
	if keys := corosync.ParseKeys(parts["running"]); len(keys) > 0 {
		n.Running = keys
		// Without votes it has just started.
		n.Votes, _ = corosync.ParseVotes(parts["votes"])
	}
	if q := corosync.ParseQDevice(parts["qdevice"]); q != (corosync.QDevice{}) {
		n.QDevice = &q
	}
	for _, p := range strings.Fields(parts["programs"]) {
		n.Programs[p] = true
	}
	n.takeUnits(parts["units"])
	for line := range strings.Lines(parts["keys"]) {
		if strings.Contains(line, ClusterNickname) && !strings.Contains(line, "(orphan)") {
			n.HasKey = true
		}
	}
	for line := range strings.Lines(parts["sbd"]) {
		word, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "running":
			n.SBD.Running = true
		case "disks":
			n.SBD.Disks = value
		case "timeout":
			if s, err := strconv.Atoi(value); err == nil {
				n.SBD.Timeout = time.Duration(s) * time.Second
			}
		}
	}
	return n
}

// takeUnits reads what `systemctl show` prints: for each unit three settings, in any order, and an
// empty line.
func (n *Node) takeUnits(text string) {
	for block := range strings.SplitSeq(text, "\n\n") {
		values := map[string]string{}
		for line := range strings.Lines(block) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			values[key] = value
		}
		if id := strings.TrimSuffix(values["Id"], ".service"); id != "" {
			n.Units[id] = values["ActiveState"] + " " + values["UnitFileState"]
		}
	}
}

// Certificate reads the first certificate in a text, nil if there is none.
func Certificate(text string) *x509.Certificate {
	at := strings.Index(text, "-----BEGIN CERTIFICATE-----")
	if at < 0 {
		return nil
	}
	block, _ := pem.Decode(bytes.TrimSpace([]byte(text[at:])))
	if block == nil {
		return nil
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil
	}
	return c
}
