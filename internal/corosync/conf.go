package corosync

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ConfFile is where Corosync's configuration is.
const ConfFile = "/etc/corosync/corosync.conf"

// Config is what a corosync.conf says about the timing, and about a quorum device.
type Config struct {
	Timing
	// Nodes is the number of nodes in the nodelist. Links is the largest number of addresses of one
	// of them, at least 1.
	Nodes, Links int
	// Transport is knet unless the file says otherwise. Pings are knet's.
	Transport string
	// Device is the quorum device of model net, nil if there is none.
	Device *Device
	// Kept are the totem section's other lines, with those of its subsections.
	Kept []Line
}

// Line is a line of a section: a setting, or a subsection with its lines.
type Line struct {
	Key, Value string
	Section    []Line // of a subsection called Key
	opens      bool
}

// ParseConf reads a corosync.conf. The error names the line, or the setting whose value is wrong.
func ParseConf(text string) (Config, error) {
	top, err := parse(text)
	if err != nil {
		return Config{}, err
	}
	c := Config{Timing: Timing{Coefficient: Default}, Links: 1, Transport: "knet"}
	for _, section := range top {
		switch section.Key {
		case "totem":
			for _, l := range section.Section {
				if err := c.take(l); err != nil {
					return Config{}, err
				}
			}
		case "quorum":
			for _, l := range section.Section {
				if !l.opens || l.Key != "device" {
					continue
				}
				if c.Device, err = readDevice(l); err != nil {
					return Config{}, err
				}
			}
		case "nodelist":
			for _, n := range section.Section {
				if n.Key != "node" {
					continue
				}
				c.Nodes++
				links := 0
				for _, l := range n.Section {
					if strings.HasPrefix(l.Key, "ring") && strings.HasSuffix(l.Key, "_addr") {
						links++
					}
				}
				c.Links = max(c.Links, links)
			}
		}
	}
	return c, nil
}

// parse reads sections: "name {" opens one, "}" alone closes it, all else is "key: value"
// (coroparse.c).
func parse(text string) ([]Line, error) { return parseLines(text, false) }

// parseLines reads sections, and what is no setting too if it is to be kept: a comment is a line
// without a value, and an empty line one without a key.
func parseLines(text string, keep bool) ([]Line, error) {
	root := []Line{{opens: true}}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
			if in := &root[len(root)-1]; keep {
				in.Section = append(in.Section, Line{Key: line})
			}
		case strings.HasSuffix(line, "{"):
			root = append(root, Line{
				Key: strings.TrimSpace(strings.TrimSuffix(line, "{")), opens: true,
			})
		case line == "}":
			if len(root) == 1 {
				return nil, fmt.Errorf("line %d: a } without an open section", n)
			}
			last := root[len(root)-1]
			root = root[:len(root)-1]
			root[len(root)-1].Section = append(root[len(root)-1].Section, last)
		default:
			key, value, ok := strings.Cut(line, ":")
			if !ok {
				return nil, fmt.Errorf("line %d: %q is neither \"name: value\" nor a section", n,
					line)
			}
			in := &root[len(root)-1]
			in.Section = append(in.Section, Line{
				Key: strings.TrimSpace(key), Value: strings.TrimSpace(value),
			})
		}
	}
	if len(root) > 1 {
		return nil, fmt.Errorf("line %d: the section %s is not closed", n, root[len(root)-1].Key)
	}
	return root[0].Section, nil
}

// mostLinks is how many links knet has (libknet.h, KNET_MAX_LINK).
const mostLinks = 8

// take reads a line of the totem section.
func (c *Config) take(l Line) error {
	if l.opens && l.Key == "interface" {
		kept := l
		kept.Section = nil
		for _, in := range l.Section {
			var err error
			switch in.Key {
			case "knet_ping_interval":
				c.PingInterval, err = milliseconds(in)
			case "knet_ping_timeout":
				c.PingTimeout, err = milliseconds(in)
			case "linknumber":
				var link int
				if link, err = number(in); err == nil && link < mostLinks {
					c.Links = max(c.Links, link+1)
				}
				kept.Section = append(kept.Section, in)
			default:
				kept.Section = append(kept.Section, in)
			}
			if err != nil {
				return err
			}
		}
		c.Kept = append(c.Kept, kept)
		return nil
	}
	var err error
	switch l.Key {
	case "token":
		c.Token, err = milliseconds(l)
	case "token_coefficient":
		c.Coefficient, err = milliseconds(l)
	case "consensus":
		c.Consensus, err = milliseconds(l)
	case "join":
		c.Join, err = milliseconds(l)
	case "token_retransmits_before_loss_const":
		c.Retransmits, err = number(l)
	case "token_warning":
		c.Warning, err = number(l)
	case "transport":
		c.Transport = l.Value
		c.Kept = append(c.Kept, l)
	default:
		c.Kept = append(c.Kept, l)
	}
	return err
}

func number(l Line) (int, error) {
	n, err := strconv.ParseUint(l.Value, 10, 31)
	if err != nil {
		return 0, fmt.Errorf("%s: %q is not a number", l.Key, l.Value)
	}
	return int(n), nil
}

func milliseconds(l Line) (time.Duration, error) {
	n, err := number(l)
	return time.Duration(n) * time.Millisecond, err
}

// TotemSection is the whole totem section with this timing: the configuration's other settings, and
// the timing. Every link gets its pings, if the timing sets them.
func (c Config) TotemSection(t Timing) string {
	lines := slices.Clone(c.Kept)
	if !slices.ContainsFunc(lines, func(l Line) bool { return l.Key == "version" }) {
		lines = slices.Insert(lines, 0, Line{Key: "version", Value: "2"})
	}
	var pings []Line
	for _, l := range t.InterfaceLines() {
		key, value, _ := strings.Cut(l, ": ")
		pings = append(pings, Line{Key: key, Value: value})
	}
	if len(pings) > 0 && c.knet() {
		for link := range max(c.Links, 1) {
			lines = withPings(lines, strconv.Itoa(link), pings)
		}
	}
	var timing []Line
	for _, l := range t.Lines() {
		key, value, _ := strings.Cut(l, ": ")
		timing = append(timing, Line{Key: key, Value: value})
	}
	first := slices.IndexFunc(lines, func(l Line) bool { return l.opens })
	if first < 0 {
		first = len(lines)
	}
	lines = slices.Insert(lines, first, timing...)
	var b strings.Builder
	write(&b, "", Line{Key: "totem", opens: true, Section: lines})
	return b.String()
}

func (c Config) knet() bool { return c.Transport == "" || c.Transport == "knet" }

// withPings adds the pings to the link's interface section, or adds a section with them. A section
// without a number is link 0's.
func withPings(lines []Line, link string, pings []Line) []Line {
	for i, l := range lines {
		if !l.opens || l.Key != "interface" {
			continue
		}
		if l.link() == link {
			lines[i].Section = append(slices.Clone(l.Section), pings...)
			return lines
		}
	}
	return append(lines, Line{
		Key: "interface", opens: true,
		Section: append([]Line{{Key: "linknumber", Value: link}}, pings...),
	})
}

func write(b *strings.Builder, indent string, l Line) {
	switch {
	case l.Key == "":
		b.WriteString("\n")
		return
	case strings.HasPrefix(l.Key, "#"):
		fmt.Fprintf(b, "%s%s\n", indent, l.Key)
		return
	case !l.opens:
		fmt.Fprintf(b, "%s%s: %s\n", indent, l.Key, l.Value)
		return
	}
	fmt.Fprintf(b, "%s%s {\n", indent, l.Key)
	for _, in := range l.Section {
		write(b, indent+"\t", in)
	}
	fmt.Fprintf(b, "%s}\n", indent)
}
