package crm

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"

	"github.com/beevik/etree"
)

// Version orders the states of a configuration: an administrator's epoch, the number of edits, the
// number of status updates.
type Version struct{ AdminEpoch, Epoch, NumUpdates int }

// String is the version as Pacemaker prints it: 0.12.3.
func (v Version) String() string {
	return fmt.Sprintf("%d.%d.%d", v.AdminEpoch, v.Epoch,
		v.NumUpdates)
}

// versionOf reads the version from the attributes of <cib>.
func versionOf(root *etree.Element) (Version, error) {
	var read Version
	for _, v := range []struct {
		name string
		into *int
	}{
		{"admin_epoch", &read.AdminEpoch}, {"epoch", &read.Epoch}, {"num_updates", &read.NumUpdates},
	} {
		text := root.SelectAttrValue(v.name, "0")
		n, err := strconv.Atoi(text)
		if err != nil {
			return read, fmt.Errorf("the CIB's %s is %q, which is not a number", v.name, text)
		}
		*v.into = n
	}
	return read, nil
}

// CIB is a cluster's configuration and status as they were read. Nothing in this package changes
// it, so it is decoded only once.
type CIB struct {
	Version Version

	root   *etree.Element // all but the status
	text   []byte         // root as Pacemaker printed it, nil if it did not
	status []byte         // the element <status> as it was read, nil if there was none

	partial bool // the status was not requested

	decoding sync.Once
	decoded  []Object
}

// maxDepth is how deeply elements of a CIB may nest; Pacemaker's own schema needs fewer than
// twenty.
const maxDepth = 64

// ParseCIB reads a configuration as `cibadmin --query` prints it.
func ParseCIB(xml []byte) (*CIB, error) {
	rest, status := cutStatus(xml)
	c, err := parse(rest)
	if err != nil {
		return nil, err
	}
	if status != nil { // otherwise it may be any XML
		c.text, c.status = rest, status
	}
	return c, nil
}

// parse reads a configuration without its status.
func parse(text []byte) (*CIB, error) {
	doc := etree.NewDocument()
	doc.ReadSettings.MaxDepth = maxDepth
	if err := doc.ReadFromBytes(text); err != nil {
		return nil, fmt.Errorf("the CIB is not well-formed XML: %w", err)
	}
	root := doc.Root()
	if root == nil || root.Tag != "cib" {
		return nil, errors.New("this is not a CIB: its root element must be <cib>")
	}
	if root.SelectElement("configuration") == nil {
		return nil, errors.New("the CIB has no <configuration>; was only a part of it asked for?")
	}
	c := &CIB{root: root}
	var err error
	if c.Version, err = versionOf(root); err != nil {
		return nil, err
	}
	dropSpace(root)
	seen := map[string]bool{}
	for _, section := range c.configuration().ChildElements() {
		if seen[section.Tag] {
			return nil, fmt.Errorf("the CIB has more than one <%s>", section.Tag)
		}
		seen[section.Tag] = true
	}
	return c, nil
}

// Quorate says whether the part of the cluster that the CIB was read in has quorum, or acts as if
// it had because the property no-quorum-policy is "ignore".
func (c *CIB) Quorate() bool {
	return c.NoQuorumPolicy() == "ignore" || value(c.root, "have-quorum") != "0"
}

// NoQuorumPolicy returns what Pacemaker does in a partition that has lost its quorum, in the words
// of the property no-quorum-policy. As its scheduler has it (2.1.5, unpack_config()), upper and
// lower case are the same, suicide needs fencing, and every word that it does not know is stop, the
// default. Newer versions say fence for suicide, which to 2.1.5 is such a word.
func (c *CIB) NoQuorumPolicy() string {
	policy, _ := c.Property(NoQuorumPolicy)
	switch policy = strings.ToLower(policy); policy {
	case "freeze", "ignore", "demote":
		return policy
	case "suicide", "fence":
		if c.FencingEnabled() {
			return policy
		}
	}
	return "stop"
}

// dropSpace removes the white space between elements, so that inserting new elements need not
// consider it.
func dropSpace(el *etree.Element) {
	kept := make([]etree.Token, 0, len(el.Child))
	for _, c := range el.Child {
		if text, ok := c.(*etree.CharData); ok && text.IsWhitespace() {
			continue
		}
		kept = append(kept, c)
	}
	if len(kept) != len(el.Child) {
		el.Child = kept
		el.ReindexChildren()
	}
	for _, c := range el.Child {
		if c, ok := c.(*etree.Element); ok {
			dropSpace(c)
		}
	}
}

func (c *CIB) configuration() *etree.Element { return c.root.SelectElement("configuration") }

// Objects lists what the configuration holds, in the order of `crm configure show`. The list
// belongs to the caller, the objects are shared: copy one before changing it.
func (c *CIB) Objects() []Object { return slices.Clone(c.objects()) }

// objects is Objects for callers that do not change the list.
func (c *CIB) objects() []Object {
	c.decoding.Do(func() { c.decoded = c.decode() })
	return c.decoded
}

func (c *CIB) decode() []Object {
	var out []Object
	for _, section := range c.configuration().ChildElements() {
		switch section.Tag {
		case "rsc_defaults", "op_defaults":
			for _, set := range section.SelectElements("meta_attributes") {
				out = append(out, decodeProperties(set, Section(section.Tag))...)
			}
		case "fencing-topology":
			if len(section.ChildElements()) > 0 {
				out = append(out, &XML{element: section})
			}
		default:
			for _, el := range section.ChildElements() {
				out = append(out, decode(el)...)
			}
		}
	}
	sortObjects(out)
	return out
}

// rank is the place of each kind of object in crmsh's order; objects of one rank are sorted by
// their ids.
var rank = map[string]int{
	"node": 0, "template": 1, "primitive": 2, "bundle": 3, "group": 4, "master": 5, "clone": 6,
	"tag":      7,
	"location": 8, "colocation": 8, "order": 8, "rsc_ticket": 9, "fencing-topology": 9,
	"property": 10, "rsc_defaults": 11, "op_defaults": 12, "acl_role": 13, "acl_target": 14,
	"acl_group": 14, "alert": 15,
}

func rankOf(o Object) int {
	key := o.Keyword()
	if x, ok := o.(*XML); ok {
		key = x.element.Tag
		if x.section != "" {
			key = string(x.section)
		}
	}
	if n, ok := rank[key]; ok {
		return n
	}
	return len(rank)
}

// sortName is the name by which objects of one rank are sorted: properties by their sets.
func sortName(o Object) string {
	if p, ok := o.(*Property); ok {
		return p.set()
	}
	return o.ID()
}

func sortObjects(objects []Object) {
	sort.SliceStable(objects, func(i, j int) bool {
		a, b := objects[i], objects[j]
		if ra, rb := rankOf(a), rankOf(b); ra != rb {
			return ra < rb
		}
		return sortName(a) < sortName(b)
	})
}

// Object returns the object with the id. Where a node and another object have the same id, as a
// remote node and its resource do, it is the other object.
func (c *CIB) Object(id string) (Object, bool) {
	var node Object
	for _, o := range c.objects() {
		if o.ID() != id {
			continue
		}
		if _, isNode := o.(*Node); !isNode {
			return o, true
		}
		node = o
	}
	return node, node != nil
}

// Counterpart returns the object that a definition would change, if there is one.
func (c *CIB) Counterpart(of Object) (Object, bool) {
	want := key(c.identified([]Object{of})[0])
	for _, o := range c.objects() {
		if key(o) == want {
			return o, true
		}
	}
	return nil, false
}

// Tagged lists the ids that the tag names, nil if there is no such tag.
func (c *CIB) Tagged(tag string) []string {
	if tags := c.configuration().SelectElement("tags"); tags != nil {
		for _, el := range tags.SelectElements("tag") {
			if value(el, "id") == tag {
				return decodeTag(el).Refs
			}
		}
	}
	return nil
}

// Property returns the value of the cluster option that is in effect: the set cib-bootstrap-options
// comes first, then the others by their scores. The values of sets that depend on rules are not
// considered.
func (c *CIB) Property(name string) (string, bool) {
	config := c.configuration().SelectElement("crm_config")
	if config == nil {
		return "", false
	}
	sets := config.SelectElements("cluster_property_set")
	priority := func(set *etree.Element) int {
		if value(set, "id") == "cib-bootstrap-options" {
			return 1 << 30
		}
		n, _ := strconv.Atoi(value(set, "score"))
		return n
	}
	sort.SliceStable(sets, func(i, j int) bool { return priority(sets[i]) > priority(sets[j]) })
	for _, set := range sets {
		if set.SelectElement("rule") != nil {
			continue
		}
		for _, nv := range set.SelectElements("nvpair") {
			if value(nv, "name") == name && nv.SelectAttr("value") != nil {
				return value(nv, "value"), true
			}
		}
	}
	return "", false
}

// Nodes lists the names of the nodes that the configuration knows.
func (c *CIB) Nodes() []string {
	var out []string
	if nodes := c.configuration().SelectElement("nodes"); nodes != nil {
		for _, n := range nodes.SelectElements("node") {
			out = append(out, value(n, "uname"))
		}
	}
	return out
}

// XML is the whole CIB as Pacemaker's tools read it.
func (c *CIB) XML() []byte { return withStatus(c.render(), c.status) }

// allDown is the status of a cluster whose nodes have all been shut down cleanly. Pacemaker would
// want to fence nodes without any status.
func (c *CIB) allDown() []byte {
	status := etree.NewElement("status")
	if nodes := c.configuration().SelectElement("nodes"); nodes != nil {
		for _, n := range nodes.SelectElements("node") {
			if kind := value(n, "type"); kind == "remote" || kind == "ping" {
				continue // has no state of its own
			}
			state := status.CreateElement("node_state")
			state.CreateAttr("id", value(n, "id"))
			state.CreateAttr("uname", value(n, "uname"))
			for _, a := range down() {
				state.CreateAttr(a.Name, a.Value)
			}
		}
	}
	var out bytes.Buffer
	status.WriteTo(&out, &etree.WriteSettings{})
	return out.Bytes()
}

// next returns a copy of the configuration, numbered as its next edit.
func (c *CIB) next() *CIB {
	n := &CIB{
		Version: Version{AdminEpoch: c.Version.AdminEpoch, Epoch: c.Version.Epoch + 1},
		root:    c.root.Copy(), status: c.status, partial: c.partial,
	}
	n.root.CreateAttr("epoch", strconv.Itoa(n.Version.Epoch))
	n.root.CreateAttr("num_updates", "0")
	return n
}

// hasResources says whether there is anything that Pacemaker could start.
func (c *CIB) hasResources() bool {
	resources := c.configuration().SelectElement("resources")
	return resources != nil && len(resources.ChildElements()) > 0
}
