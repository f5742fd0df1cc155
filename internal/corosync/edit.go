package corosync

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Document is a corosync.conf that is changed in places: what is not changed stays as it is written,
// comments too.
type Document struct{ top []Line }

// ParseDocument reads a corosync.conf that is going to be changed. The error names the line.
func ParseDocument(text string) (*Document, error) {
	top, err := parseLines(text, true)
	if err != nil {
		return nil, err
	}
	return &Document{top}, nil
}

// Text returns the file. Sections are indented with tabs.
func (d *Document) Text() string {
	var b strings.Builder
	for _, l := range d.top {
		write(&b, "", l)
	}
	return b.String()
}

// Keys are the document's settings, named as in Corosync's database.
func (d *Document) Keys() Keys {
	keys := Keys{}
	for _, section := range d.top {
		keys.add(section.Key, settingsOf(section.Section))
	}
	return keys
}

// settingsOf leaves out comments and empty lines.
func settingsOf(lines []Line) []Line {
	var all []Line
	for _, l := range lines {
		if l.Key == "" || strings.HasPrefix(l.Key, "#") {
			continue
		}
		l.Section = settingsOf(l.Section)
		all = append(all, l)
	}
	return all
}

// Version is the file's config_version, 0 if it has none.
func (d *Document) Version() uint64 {
	n, err := strconv.ParseUint(d.Keys()["totem.config_version"], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// SetVersion writes config_version. A Corosync that starts with another one than those that run
// have ends at once: a node whose file was not replaced does not join with it.
func (d *Document) SetVersion(n uint64) {
	totem := d.section("totem")
	totem.set("config_version", strconv.FormatUint(n, 10))
}

// SetDevice writes the quorum device in place of the one that there may be.
func (d *Document) SetDevice(device Device) {
	quorum := d.section("quorum")
	quorum.drop(func(l Line) bool { return l.opens && l.Key == "device" })
	quorum.append(device.Line())
	d.countTwo()
}

// RemoveDevice takes the quorum device out.
func (d *Document) RemoveDevice() {
	d.section("quorum").drop(func(l Line) bool { return l.opens && l.Key == "device" })
	d.countTwo()
}

// AddNode adds a node at the end of the nodelist, with the id after the highest, and returns the id.
func (d *Document) AddNode(m Member) (id string) {
	highest := 0
	for _, known := range d.Keys().Members() {
		if n, err := strconv.Atoi(known.ID); err == nil {
			highest = max(highest, n)
		}
	}
	id = strconv.Itoa(highest + 1)
	node := Line{Key: "node", opens: true, Section: []Line{
		{Key: "name", Value: m.Name}, {Key: "nodeid", Value: id},
	}}
	for link, a := range m.Addresses {
		node.append(Line{Key: fmt.Sprintf("ring%d_addr", link), Value: a})
	}
	d.section("nodelist").append(node)
	d.countTwo()
	return id
}

// RemoveNode takes a node out of the nodelist, and says whether it was there.
func (d *Document) RemoveNode(name string) bool {
	nodelist := d.section("nodelist")
	before := len(nodelist.Section)
	nodelist.drop(func(l Line) bool {
		if !l.opens || l.Key != "node" {
			return false
		}
		label, _ := l.node()
		return label == name
	})
	if len(nodelist.Section) == before {
		return false
	}
	d.countTwo()
	return true
}

// countTwo has two_node be set for two nodes without a device, and only for them. What follows from
// it, such as wait_for_all, is not written down (see quorum in write.go).
func (d *Document) countTwo() {
	quorum := d.section("quorum")
	device := slices.ContainsFunc(quorum.Section,
		func(l Line) bool { return l.opens && l.Key == "device" })
	if len(d.Keys().Members()) == 2 && !device {
		quorum.set("two_node", "1")
		return
	}
	quorum.drop(func(l Line) bool { return l.Key == "two_node" })
}

// section returns the section of the name, which is added if there is none.
func (d *Document) section(name string) *Line {
	for i := range d.top {
		if d.top[i].opens && d.top[i].Key == name {
			return &d.top[i]
		}
	}
	d.top = append(d.top, Line{}, Line{Key: name, opens: true})
	return &d.top[len(d.top)-1]
}

func (l *Line) drop(which func(Line) bool) { l.Section = slices.DeleteFunc(l.Section, which) }

// append adds a line behind the last one that says something.
func (l *Line) append(line Line) {
	at := len(l.Section)
	for at > 0 && l.Section[at-1].Key == "" {
		at--
	}
	l.Section = slices.Insert(l.Section, at, line)
}

// set replaces the value of a setting, or adds the setting before the first section.
func (l *Line) set(key, value string) {
	for i := range l.Section {
		if !l.Section[i].opens && l.Section[i].Key == key {
			l.Section[i].Value = value
			return
		}
	}
	at := slices.IndexFunc(l.Section, func(in Line) bool { return in.opens })
	line := Line{Key: key, Value: value}
	if at < 0 {
		l.append(line)
		return
	}
	for at > 0 && (l.Section[at-1].Key == "" || strings.HasPrefix(l.Section[at-1].Key, "#")) {
		at-- // a comment belongs to the section below it
	}
	l.Section = slices.Insert(l.Section, at, line)
}
