package corosync

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Device is a quorum device: corosync-qdevice on every node asks a corosync-qnetd at a third place
// for its vote (corosync-qdevice(8), model net).
type Device struct {
	// Host is where corosync-qnetd is: an address, or a name that every node can resolve when it
	// starts.
	Host string
	// Port is its TCP port; QnetdPort, which is not written, if zero.
	Port uint16
	// Algorithm decides who gets the vote: FFSplit if empty, or LMS.
	Algorithm string
	// TLS is on if empty, off, or required.
	TLS string
	// TieBreaker names the half that gets the vote if nothing else tells two halves apart: lowest,
	// highest or a node's id. If empty it is not written, which means lowest.
	TieBreaker string
	// Timeout and SyncTimeout are how long Corosync waits for the device's vote, always and while
	// its membership changes; not written if zero, which means 10 and 30 seconds.
	Timeout, SyncTimeout time.Duration
}

// QnetdPort is the port of corosync-qnetd unless it is told another.
const QnetdPort = 5403

// The algorithms of corosync-qnetd.
const (
	// FFSplit gives one vote to one half of an even number of nodes.
	FFSplit = "ffsplit"
	// LMS gives as many votes as there are other nodes, so that the last one standing goes on.
	LMS = "lms"
)

// Votes is how many votes the device has in a cluster of so many nodes with one vote each.
func (d Device) Votes(nodes int) int {
	if cmp.Or(d.Algorithm, FFSplit) == LMS {
		return nodes - 1
	}
	return 1
}

// shortestTimeout and longestTimeout are the limits within which corosync-qdevice accepts what it
// derives from the timeout: 0.8 of it are its heartbeat to corosync-qnetd (net_heartbeat_interval_min
// and _max).
const shortestTimeout, longestTimeout = 1250 * time.Millisecond, 150 * time.Second

// Validate returns everything for which the device would not work in a cluster of so many nodes.
func (d Device) Validate(nodes int) error {
	var wrong []error
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	if ip, err := netip.ParseAddr(d.Host); err == nil {
		if ip.IsUnspecified() || ip.IsLoopback() || ip.IsMulticast() {
			say("quorum device: every node has to reach corosync-qnetd, and none does at %s", ip)
		}
	} else if !domainName(d.Host) {
		say("quorum device: %q is neither an IP address nor a host name", d.Host)
	}
	switch cmp.Or(d.Algorithm, FFSplit) {
	case LMS:
		if nodes < 2 {
			say("quorum device: %d node has nobody to be told apart from: a device votes in a "+
				"cluster of two and more", nodes)
		}
	case FFSplit:
		if nodes < 2 || nodes%2 != 0 {
			say("quorum device: algorithm %s is for an even number of nodes, not for %d: it gives "+
				"its vote to one of two halves", FFSplit, nodes)
		}
	default:
		say("quorum device: algorithm %q: the algorithms known are %s and %s", d.Algorithm, FFSplit,
			LMS)
	}
	if !slices.Contains([]string{"", "on", "off", "required"}, d.TLS) {
		say("quorum device: tls %q: it is on, off or required", d.TLS)
	}
	if _, err := strconv.ParseUint(d.TieBreaker, 10, 32); err != nil &&
		!slices.Contains([]string{"", "lowest", "highest"}, d.TieBreaker) {
		say("quorum device: tie breaker %q: it is lowest, highest or a node's id", d.TieBreaker)
	}
	for _, t := range []struct {
		name string
		time time.Duration
	}{{"timeout", d.Timeout}, {"sync timeout", d.SyncTimeout}} {
		if t.time != 0 && (t.time < shortestTimeout || t.time > longestTimeout) {
			say("quorum device: %s %s: corosync-qdevice accepts %s to %s", t.name, t.time,
				shortestTimeout, longestTimeout)
		}
	}
	return errors.Join(wrong...)
}

// domainName says whether the name can be that of a host. It may have several labels, unlike a
// node's.
func domainName(name string) bool {
	if len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if !hostName.MatchString(label) {
			return false
		}
	}
	return true
}

// Line is the device's section, as it stands in the section quorum. The votes of LMS are not
// written, as corosync-qdevice(8) wants it; those of FFSplit have to be.
func (d Device) Line() Line {
	algorithm := cmp.Or(d.Algorithm, FFSplit)
	device := Line{Key: "device", opens: true, Section: []Line{{Key: "model", Value: "net"}}}
	if algorithm == FFSplit {
		device.Section = append(device.Section, Line{Key: "votes", Value: "1"})
	}
	for _, t := range []struct {
		key  string
		time time.Duration
	}{{"timeout", d.Timeout}, {"sync_timeout", d.SyncTimeout}} {
		if t.time > 0 {
			device.Section = append(device.Section,
				Line{Key: t.key, Value: strconv.FormatInt(t.time.Milliseconds(), 10)})
		}
	}
	net := Line{Key: "net", opens: true, Section: []Line{
		{Key: "host", Value: d.Host},
		{Key: "algorithm", Value: algorithm},
		{Key: "tls", Value: cmp.Or(d.TLS, "on")},
	}}
	if d.Port != 0 && d.Port != QnetdPort {
		net.Section = append(net.Section, Line{Key: "port", Value: strconv.Itoa(int(d.Port))})
	}
	if d.TieBreaker != "" {
		net.Section = append(net.Section, Line{Key: "tie_breaker", Value: d.TieBreaker})
	}
	device.Section = append(device.Section, net)
	return device
}

// readDevice reads a section device. Algorithm and TLS are filled in where the section leaves them
// to corosync-qdevice.
func readDevice(section Line) (*Device, error) {
	d := &Device{Algorithm: FFSplit, TLS: "on"}
	var err error
	for _, l := range section.Section {
		switch {
		case l.Key == "model" && l.Value != "net":
			return nil, fmt.Errorf("quorum device: model %q: only net is known", l.Value)
		case l.Key == "timeout":
			d.Timeout, err = milliseconds(l)
		case l.Key == "sync_timeout":
			d.SyncTimeout, err = milliseconds(l)
		case l.Key == "net" && l.opens:
			err = d.takeNet(l.Section)
		}
		if err != nil {
			return nil, fmt.Errorf("quorum device: %w", err)
		}
	}
	return d, nil
}

func (d *Device) takeNet(lines []Line) error {
	for _, l := range lines {
		switch l.Key {
		case "host":
			d.Host = l.Value
		case "port":
			n, err := strconv.ParseUint(l.Value, 10, 16)
			if err != nil {
				return fmt.Errorf("port: %q is not a port", l.Value)
			}
			d.Port = uint16(n)
		case "algorithm":
			d.Algorithm = l.Value
		case "tls":
			d.TLS = l.Value
		case "tie_breaker":
			d.TieBreaker = l.Value
		}
	}
	return nil
}
